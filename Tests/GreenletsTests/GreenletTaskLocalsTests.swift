import ReactorCore
import ReactorTesting
import Testing

@testable import Greenlets

/// Task-local values in callbacks, where greenlets of both kinds add and run them.
@Suite struct GreenletTaskLocalsTests {
    enum Local {
        @TaskLocal static var number = 0
    }

    @Test func callbackAddedInAGreenletSeesItsValues() async throws {
        try await withReactor { _ in
            let deferred = Deferred<Int>()
            var log: [Int] = []
            let synchronous = Greenlet.spawn { () throws -> Void in
                try Local.$number.withValue(1) {
                    deferred.addCallback { number -> Int in
                        log.append(Local.number)
                        return number
                    }
                    try Greenlet.yield()
                    deferred.addCallback { number -> Int in
                        log.append(Local.number * 10)
                        return number
                    }
                }
            }
            try await synchronous.get()
            try await Greenlet.spawn { () async throws -> Void in
                await Greenlet.yield()
                Local.$number.withValue(2) {
                    _ = deferred.addCallback { number -> Int in
                        log.append(Local.number)
                        return number
                    }
                }
            }.get()
            // Fired on a fiber's stack, where another value is bound.
            try await Greenlet.spawn { () throws -> Void in
                try Local.$number.withValue(3) {
                    try deferred.callback(0)
                    try Greenlet.yield()
                    log.append(Local.number)
                }
            }.get()
            #expect(log == [1, 10, 2, 3])
        }
    }

    @Test func nothingIsKeptInAGreenletThatBindsNothing() async throws {
        let ran = LockedBool()
        try await withReactor { reactor in
            // Detached: a test's own task has values bound.
            await Task.detached(executorPreference: reactor) { await Self.check(ran) }.value
        }
        #expect(ran.value)
    }

    @MainActor final class LockedBool {
        nonisolated(unsafe) var value = false  // set and read one after the other
        nonisolated init() {}
    }

    @ReactorActor private static func check(_ ran: LockedBool) async {
        let plain = TaskLocalSnapshot.capture() != nil
        let synchronous = try? await Greenlet.spawn { () throws -> [Bool] in
            let first = TaskLocalSnapshot.capture() != nil
            try Greenlet.yield()
            let bound = Local.$number.withValue(1) { TaskLocalSnapshot.capture() != nil }
            return [first, TaskLocalSnapshot.capture() != nil, bound]
        }.get()
        let asynchronous = try? await Greenlet.spawn { () async throws -> Bool in
            await Greenlet.yield()
            return TaskLocalSnapshot.capture() != nil
        }.get()
        ran.value = !plain && synchronous == [false, false, true] && asynchronous == false
    }

    @Test func callbackWithValuesThatWaitsOnAFiberIsAClearError() async throws {
        try await withReactor { _ in
            var message = ""
            var after = 0
            try await Greenlet.spawn { () throws -> Void in
                let deferred = Deferred<Int>()
                Local.$number.withValue(5) {
                    _ = deferred.addCallback { number -> Int in
                        do { try Greenlet.yield() } catch { message = "\(error)" }
                        return number
                    }
                }
                try deferred.callback(1)
                // The greenlet itself may wait as before.
                try Greenlet.yield()
                after = Local.number + 1
            }.get()
            #expect(message.contains("add an async callback") && after == 1)
        }
    }

    @Test func asyncCallbackMayWaitAndKeepsItsValues() async throws {
        try await withReactor { reactor in
            let value = try await Greenlet.spawn { () throws -> Int in
                let deferred = Deferred<Int>()
                let next = Local.$number.withValue(6) {
                    deferred.addCallback { number async throws -> Int in
                        await reactor.yield()
                        return Local.number + number
                    }
                }
                try deferred.callback(1)
                return try waitForDeferred(next)
            }.get()
            #expect(value == 7)
        }
    }

    @Test func endOfAKilledGreenletIsNotReported() async throws {  // S13
        let reports = UnhandledErrorRecorder()
        try await withReactor { reactor in
            let deferred = reactor.deferToGreenlet(
                { () throws -> Void in try Greenlet.sleep(for: .seconds(3600)) }, file: "S13/Killed.swift",
                line: 1)
            await reactor.yield()
            deferred.cancel()
            for _ in 0..<20 where !deferred.isCalled { await reactor.yield() }
            #expect(deferred.isCalled)
        }
        #expect(reports.errors(file: "S13/Killed.swift").isEmpty)
    }
}
