import Glibc
import ReactorCore
import ReactorTesting
import Testing

@testable import Greenlets

@Suite(.everyBackend) struct SubprocessLifeTests {
    private func shell(_ script: String) -> [String] { ["/bin/sh", "-c", script] }

    @Test func timeoutCarriesWhatWasWrittenAndKillsAndFetches() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { _ in
            let (reading, writing) = try GreenPipe.make()
            var options = Subprocess.Options()
            options.errors = .descriptor(writing.descriptor)
            let command = shell("echo so far; echo $$ >&2; exec sleep 3600")
            let run = Greenlet.spawn { [options] () async throws in
                try await Subprocess.run(command, timeout: .milliseconds(300), options: options)
            }
            run.onReady {}  // somebody hears of its error
            // The errors tell its number, behind the output, and end with it.
            let text = try await reading.lines().next()
            await clock.pump([.zero, .milliseconds(300)])
            let error = await #expect(throws: SubprocessError.self) { try await run.get() }
            writing.close()
            #expect(error?.isTimeout == true)
            #expect(error?.output.outputText == "so far\n")
            #expect(error?.message.hasPrefix("the program /bin/sh took longer than 0.3 seconds") == true)
            let rest = try await reading.readToEnd()
            #expect(rest.isEmpty)
            let number = try #require(text.flatMap { Int32($0) })
            #expect(kill(number, 0) < 0 && errno == ESRCH, "neither runs nor is a zombie")
        }
    }

    /// In a process of its own: others of this one open descriptors meanwhile.
    @Test func noPathLeavesADescriptor() async {
        await #expect(processExitsWith: .success) {
            func count() -> Int { (0..<1024).count { fcntl($0, F_GETFD) >= 0 } }
            let reactor = Reactor()
            try reactor.run(until: {
                _ = try await Subprocess.run("true")  // what the loop opens for itself is open from then on
                let before = count()
                for _ in 0..<20 {
                    _ = try? Subprocess.start("no-such-program-here")
                    _ = try await Subprocess.run("cat", input: [1])
                    _ = try? await Subprocess.run("sleep", "3600", timeout: .milliseconds(1))
                    _ = try await withSubprocess(try Subprocess.start("cat")) { $0.processID }
                }
                for _ in 0..<1000 where count() > before { try await reactor.sleep(for: .milliseconds(10)) }
                precondition(count() == before, "\(count() - before) descriptors are left")
            })
        }
    }

    @Test func childWhoseObjectIsReleasedIsFetchedAllTheSame() async throws {
        try await withReactor { reactor in
            let number = try Subprocess.start("true").processID
            while kill(number, 0) == 0 { try await reactor.sleep(for: .milliseconds(1)) }
            #expect(errno == ESRCH)
            while !reactor.watchedDescriptors.isEmpty { await reactor.yield() }
        }
    }

    @Test func anyNumberMayWaitAndEachHasItsTime() async throws {
        try await withReactor { _ in
            let process = try Subprocess.start("cat")
            try await withSubprocess(process) { process in
                let waiting = (0..<5).map { number in
                    number % 2 == 0
                        ? Greenlet.spawn { try process.wait() }
                        : Greenlet.spawn { () async throws in try await process.wait() }
                }
                let error = await #expect(throws: SubprocessError.self) {
                    try await process.wait(timeout: .milliseconds(2))
                }
                #expect(error?.isTimeout == true)
                try await waiting[0].kill()
                process.input?.close()
                for greenlet in waiting.dropFirst() { #expect(try await greenlet.get() == .exited(0)) }
            }
        }
    }

    @Test func childrenAreWaitedForAsGreenletsAre() async throws {
        try await withReactor { _ in
            let slow = try Subprocess.start("cat")
            let quick = try Subprocess.start("true")
            try await withSubprocess(slow) { slow in
                let ready = try await Greenlet.wait(for: [slow, quick], count: 1)
                #expect(ready.count == 1 && ready.first === quick)
                #expect(quick.isReady && !slow.isReady)
            }
            #expect(slow.isReady)
        }
    }

    @Test func childOfAKilledGreenletIsGoneWithIt() async throws {
        try await withReactor { reactor in
            for isSynchronous in [true, false] {
                let process = try Subprocess.start("sleep", "3600")
                let greenlet =
                    isSynchronous
                    ? Greenlet.spawn { () throws -> Subprocess.Status in
                        try withSubprocess(process) { (process: Subprocess) throws in try process.wait() }
                    }
                    : Greenlet.spawn { () async throws -> Subprocess.Status in
                        try await withSubprocess(process) { try await $0.wait() }
                    }
                for _ in 0..<5 { await reactor.yield() }
                try await greenlet.kill()
                #expect(process.status == .signalled(SIGKILL))
                #expect(process.output?.isClosed == true)
            }
        }
    }

    /// However a run is given up, its child is gone.
    @Test(arguments: [UInt64](0..<4)) func nothingIsLeftOfRunsGivenUp(seed: UInt64) async throws {
        try await withReactor { reactor in
            var random = SeededGenerator(seed: seed)
            let (reading, writing) = try GreenPipe.make()
            var options = Subprocess.Options()
            options.errors = .descriptor(writing.descriptor)
            var greenlets: [Greenlet<Subprocess.Output?>] = []
            for number in 0..<12 {
                let command = shell("echo $$ >&2; cat; exec sleep \(number % 2 == 0 ? 0 : 3600)")
                greenlets.append(
                    Bool.random(using: &random)
                        ? Greenlet.spawn { () async throws in
                            try? await Subprocess.run(command, input: [1, 2, 3], options: options)
                        }
                        : Greenlet.spawn { try? Subprocess.run(command, input: [1, 2, 3], options: options) })
                for _ in 0..<Int.random(in: 0..<40, using: &random) { await reactor.yield() }
                if Bool.random(using: &random) { try await reactor.sleep(for: .milliseconds(3)) }
                if Bool.random(using: &random) { greenlets.randomElement(using: &random)?.cancel() }
            }
            for greenlet in greenlets {
                greenlet.cancel()
                try await greenlet.join()
            }
            writing.close()
            // Ends when all who had it have.
            let text = String(decoding: try await reading.readToEnd(timeout: .seconds(60)), as: UTF8.self)
            for number in text.split(separator: "\n").compactMap({ Int32($0) }) {
                #expect(kill(number, 0) < 0 && errno == ESRCH, "seed \(seed)")
            }
            for _ in 0..<1000 where !reactor.watchedDescriptors.isEmpty {
                try await reactor.sleep(for: .milliseconds(10))
            }
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }
}
