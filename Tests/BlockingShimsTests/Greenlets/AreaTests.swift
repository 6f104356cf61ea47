import CLinux
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@testable import BlockingShims

@Suite struct AreaTests {
    @Test(arguments: [
        ("", "all"), ("all", "all"), ("none", "none"), ("socket,poll", "poll,socket"),
        ("socket poll", "poll,socket"),
        ("-thread", "timer,poll,socket,io,name,process,lock,stdio,file"), ("all,-poll,-io,poll", ""),
        ("none,-io", "none"),
    ])
    func textNamesAreas(text: String, description: String) {
        let (areas, unknown) = BlockingShims.Area.parse(text)
        #expect(unknown.isEmpty)
        if !description.isEmpty { #expect(areas.description == description) }
        #expect(areas.contains(.poll) == (text != "none" && text != "none,-io"))
    }

    @Test func wordsThatNameNothingAreReturned() {
        let (areas, unknown) = BlockingShims.Area.parse("socket,sockets,-al,--io")
        #expect(areas == .socket)
        #expect(unknown == ["sockets", "-al", "--io"])
    }

    @Test func everyFunctionsAreaCanBeSwitched() {
        let names = Set(BlockingShims.Area.names.map(\.name))
        #expect(Set(BlockingShims.functions.map(\.area)).isSubset(of: names))
        #expect(BlockingShims.Area(BlockingShims.Area.names.map(\.area)) == .all)
    }

    @Test func withoutTheEnvironmentAllIsActive() {
        // Tests of this process never switch: they run beside each other.
        #expect(BlockingShims.active == .all)
        #expect(BlockingShims.isActive([.socket, .thread]))
    }

    @Test func switchedOffAreaPassesThroughAndOthersPark() async {
        await #expect(processExitsWith: .success) {
            try await withReactor { reactor in
                BlockingShims.active = [.poll]
                precondition(!BlockingShims.isActive(.timer) && BlockingShims.isActive(.poll))
                // Made in the greenlet: a timer can be called in nothing but its wait.
                let slept = try await Greenlet.spawn { () -> Bool in
                    var isOver = false
                    reactor.callLater(.milliseconds(5)) { isOver = true }
                    usleep(30_000)  // blocks the loop
                    return isOver
                }.get()
                let polled = try await Greenlet.spawn { () -> Bool in
                    var isOver = false
                    reactor.callLater(.milliseconds(5)) { isOver = true }
                    poll(nil, 0, 30)
                    return isOver
                }.get()
                BlockingShims.active.insert(.timer)
                let sleptAgain = try await Greenlet.spawn { () -> Bool in
                    var isOver = false
                    reactor.callLater(.milliseconds(5)) { isOver = true }
                    usleep(30_000)
                    return isOver
                }.get()
                precondition(!slept && polled && sleptAgain, "\(slept) \(polled) \(sleptAgain)")
            }
        }
    }

    @Test func environmentSwitchesFromTheFirstCallOn() async throws {
        let result = try await #require(
            processExitsWith: .success, observing: [\.standardErrorContent]
        ) {
            setenv("REACTOR_SHIMS", "all,-timer,tmier", 1)
            try await withReactor { reactor in
                let slept = try await Greenlet.spawn { () -> Bool in
                    var isOver = false
                    reactor.callLater(.milliseconds(5)) { isOver = true }
                    usleep(30_000)
                    return isOver
                }.get()
                precondition(!slept && BlockingShims.active == .all.subtracting(.timer))
            }
        }
        let text = String(decoding: result.standardErrorContent, as: UTF8.self)
        let warnings = text.split(separator: "\n").filter { $0.contains("REACTOR_SHIMS") }
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("\"tmier\"") == true && warnings.first?.contains("timer") == true)
    }

    @Test func originalsAreLibcsOwnAndBlock() async throws {
        try await withReactor { reactor in
            let result = try await Greenlet.spawn { () -> (Int32, Bool) in
                var isOver = false
                reactor.callLater(.milliseconds(5)) { isOver = true }
                let count = BlockingShims.original(\.poll)(nil, 0, 30)
                return (count, isOver)
            }.get()
            #expect(result == (0, false))
        }
        // A C function.
        let address = unsafeBitCast(BlockingShims.original(\.recv), to: UnsafeRawPointer.self)
        let libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD)
        #expect(address == dlsym(libc, "recv").map { UnsafeRawPointer($0) })
        typealias Close = @convention(c) (Int32) -> Int32
        let close = try #require(BlockingShims.original("close", as: Close.self))
        #expect(close(-1) == -1 && errno == EBADF)
        #expect(BlockingShims.original("closes", as: Close.self) == nil)
    }

    @Test func everyMemberOfOriginalsIsThere() {
        let originals = BlockingShims.Originals()
        let functions: [Any] = [
            originals.sleep, originals.usleep, originals.nanosleep, originals.poll, originals.select,
            originals.connect,
            originals.accept, originals.recv, originals.recvfrom, originals.recvmsg, originals.send,
            originals.sendto,
            originals.sendmsg, originals.read, originals.readv, originals.write, originals.writev,
            originals.close,
            originals.getaddrinfo,
        ]
        #expect(functions.count == 19)  // each would have trapped
    }
}
