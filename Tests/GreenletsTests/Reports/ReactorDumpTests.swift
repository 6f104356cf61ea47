import CLinux
import Glibc
import Greenlets
import ReactorTesting
import Testing

@testable import ReactorCore

@Suite struct ReactorDumpTests {
    private static func report(
        _ id: Int, _ name: String, parent: Int? = nil
    ) -> GreenletReport {
        GreenletReport(
            id: id, name: name, parentID: parent, spawnLocation: "App/Main.swift:\(id)", isSynchronous: false,
            state: .parked, waitsFor: "time", waitingTime: .seconds(2), switchCount: nil, processorTime: nil,
            stack: nil)
    }

    @Test func treeShowsWhoSpawnedWhom() {
        let tree = GreenletTree([
            Self.report(1, "server"), Self.report(2, "ticker"), Self.report(3, "client", parent: 1),
            Self.report(4, "query", parent: 3), Self.report(5, "other", parent: 1),
            Self.report(6, "orphan", parent: 99),
        ])
        let lines = tree.description.split(separator: "\n").map { $0.split(separator: ",")[0] }
        #expect(
            lines == [
                "+--- \"server\" (1)", "|    +--- \"client\" (3)", "|    |    +--- \"query\" (4)",
                "|    +--- \"other\" (5)",
                "+--- \"ticker\" (2)", "+--- \"orphan\" (6)",
            ])
    }

    @Test func treeWithoutGreenletsIsEmpty() {
        #expect(GreenletTree([]).description.isEmpty)
    }

    @Test func dumpTellsWhatEachGreenletDoes() async throws {
        try await withReactor { reactor in
            let channel = Channel<Int>()
            let parked = Greenlet.spawn(name: "parked") { () throws -> Int in try channel.receive() }
            let sleeper = Greenlet.spawn(name: "sleeper") { try await reactor.sleep(for: .seconds(60)) }
            let (nothing, end) = AsyncStream<Never>.makeStream()
            let suspended = Greenlet.spawn(name: "suspended") {
                await Task.detached { for await _ in nothing {} }.value
            }
            let parent = Greenlet.spawn(name: "parent") {
                let child = Greenlet.spawn(name: "child") { () throws -> Int in try channel.receive() }
                return try await child.get()
            }
            for _ in 0..<5 { await reactor.yield() }
            let pending = Greenlet.spawn(name: "pending") {}
            let dump = try await Greenlet.spawn(name: "dumper") { reactor.dump() }.get()
            let states = Dictionary(uniqueKeysWithValues: dump.greenlets.map { ($0.name, $0) })
            #expect(states["parked"]?.state == .parked)
            #expect(states["parked"]?.waitsFor == "a channel of Int")
            #expect(states["parked"]?.isSynchronous == true)
            #expect(states["parked"]?.switchCount == 1)
            #expect((states["parked"]?.stack?.highWater ?? 0) > 0)
            #expect(states["sleeper"]?.state == .parked)
            #expect(states["sleeper"]?.waitsFor == "time")
            #expect(states["suspended"]?.state == .suspended)
            #expect(states["child"]?.parentID == states["parent"]?.id)
            #expect(states["parent"]?.waitsFor == "the end of greenlet \"child\"")
            #expect(states["dumper"]?.state == .running)
            #expect(dump.tasks.contains { $0.waitsFor == "the end of greenlet \"dumper\"" })
            #expect(dump.timers.count == 1 && dump.timers[0].dueIn > .seconds(50))
            let text = dump.description
            for part in [
                "+--- \"parked\" (1), waits for a channel of Int", "timers: 1", "threads: 0 of 10 threads",
            ] {
                #expect(text.contains(part), "\(text)")
            }
            _ = try channel.trySend(1)
            _ = try channel.trySend(2)
            try await sleeper.kill()
            for greenlet in [parked, parent] as [AnyGreenlet] { try await greenlet.join() }
            end.finish()
            try await suspended.join()
            try await pending.join()
        }
    }

    @Test func spawnedGreenletThatHasNotBegunIsPending() async throws {
        try await withReactor { reactor in
            let greenlet = Greenlet.spawn(name: "new") {}
            let fiber = Greenlet.spawn(name: "newer") { () throws -> Void in }
            #expect(reactor.dump().greenlets.map(\.state) == [.pending, .pending])
            try await greenlet.join()
            try await fiber.join()
        }
    }

    @Test func yieldedGreenletIsReady() async throws {
        try await withReactor { reactor in
            let flag = EndFlag()
            let greenlet = Greenlet.spawn { () throws -> Void in while !flag.isSet { try Greenlet.yield() } }
            for _ in 0..<3 { await reactor.yield() }
            #expect(reactor.dump().greenlets.map(\.state) == [.ready])
            flag.isSet = true
            try await greenlet.join()
        }
    }

    @Test func descriptorsAreListedWithTheirWatchers() async throws {
        try await withReactor { reactor in
            var ends: [Int32] = [0, 0]
            #expect(pipe(&ends) == 0)
            let reader = ends[0]
            defer { for fd in ends { close(fd) } }
            let greenlet = Greenlet.spawn { try await reactor.waitUntilReadable(reader) }
            try reactor.addWriter(ends[1]) {}
            await reactor.yield()
            let dump = reactor.dump()
            reactor.removeWriter(ends[1])
            #expect(dump.descriptors.map(\.fd) == ends.sorted())
            #expect(dump.descriptors[0].reader == "a parked task")
            #expect(dump.descriptors[1].writer?.contains("GreenletsTests/ReactorDumpTests.swift:") == true)
            #expect(dump.greenlets[0].waitsFor == "descriptor \(reader) to be readable")
            try await greenlet.kill()
        }
    }

    @Test func accountingCountsStepsAndTheirProcessorTime() async throws {
        try await withReactor { reactor in
            #expect(!reactor.isAccounting)
            reactor.isAccounting = true
            await reactor.yield()
            let flag = EndFlag()
            let greenlets = [
                Greenlet.spawn(name: "async") {
                    Self.spin(.milliseconds(20))
                    for _ in 0..<9 { await reactor.yield() }
                    while !flag.isSet { try await reactor.sleep(for: .milliseconds(1)) }
                },
                Greenlet.spawn(name: "fiber") { () throws -> Void in
                    Self.spin(.milliseconds(20))
                    for _ in 0..<9 { try Greenlet.yield() }
                    while !flag.isSet { try Greenlet.sleep(for: .milliseconds(1)) }
                },
            ]
            for _ in 0..<20 { await reactor.yield() }
            let dump = reactor.dump()
            #expect(dump.isAccounting && dump.greenlets.count == 2)
            for greenlet in dump.greenlets {
                #expect((greenlet.switchCount ?? 0) >= 10, "\(greenlet)")
                #expect((greenlet.processorTime ?? .zero) >= .milliseconds(15), "\(greenlet)")
            }
            flag.isSet = true
            for greenlet in greenlets { try await greenlet.join() }
            reactor.isAccounting = false
            #expect(reactor.accounts.isEmpty)
        }
    }

    nonisolated private static func spin(_ time: Duration) {
        // Processor time: the machine may be busy.
        let end = clinux_thread_cpu_ns() + time.wholeNanoseconds
        while clinux_thread_cpu_ns() < end {}
    }

    @Test func signalWritesADump() async {
        let exit = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            // Before the reactor's thread: all threads have it blocked then, as a program's that asks early.
            var set = sigset_t()
            sigemptyset(&set)
            sigaddset(&set, SIGUSR1)
            pthread_sigmask(SIG_BLOCK, &set, nil)
            let reactor = Reactor()
            try reactor.run(until: {
                try reactor.dumpOnSignal(SIGUSR1)
                let greenlet = Greenlet.spawn(name: "waits for ever") {
                    try await reactor.sleep(for: .seconds(60))
                }
                await reactor.yield()
                pthread_kill(pthread_self(), SIGUSR1)
                for _ in 0..<5 { try await reactor.sleep(for: .milliseconds(1)) }
                try await greenlet.kill()
            })
        }
        let text = String(decoding: exit?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("+--- \"waits for ever\" (1), waits for time"), "\(text)")
    }

    @Test func environmentNamesTheSignalAndTurnsAccountingOn() async {
        let exit = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            setenv("REACTOR_DUMP_SIGNAL", "SIGUSR2", 1)
            setenv("REACTOR_ACCOUNTING", "1", 1)
            let reactor = Reactor()
            try reactor.run(until: {
                #expect(reactor.isAccounting)
                pthread_kill(pthread_self(), SIGUSR2)
                for _ in 0..<5 { try await reactor.sleep(for: .milliseconds(1)) }
            })
        }
        let text = String(decoding: exit?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("greenlets: none"), "\(text)")
    }

    @Test(
        arguments: [("USR1", SIGUSR1), ("sigusr2", SIGUSR2), ("3", 3), ("nothing", nil), ("-1", nil)]
            as [(String, Int32?)])
    func signalsAreUnderstoodByName(_ text: String, _ number: Int32?) {
        #expect(signalNumber(text) == number)
    }
}

@ReactorActor private final class EndFlag { var isSet = false }
