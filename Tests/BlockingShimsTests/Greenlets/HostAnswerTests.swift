import CFibers
import CLinux
import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@testable import BlockingShims

/// The answers of gethostbyname and its relatives, which callers do not free: each greenlet has its own.
@Suite struct HostAnswerTests {
    enum Call: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case gethostbyname, gethostbyname2, gethostbyaddr, numeric

        var testDescription: String { rawValue }

        /// Asks for 127.0.0.`number`, or for what it stands for, where the call knows no such thing.
        func answer(_ number: UInt8) -> UnsafeMutablePointer<hostent>? {
            switch self {
            case .gethostbyname: return Glibc.gethostbyname("localhost")
            case .gethostbyname2: return Glibc.gethostbyname2("localhost", AF_INET)
            case .gethostbyaddr:
                var address: [UInt8] = [127, 0, 0, 1]
                return Glibc.gethostbyaddr(&address, 4, AF_INET)
            case .numeric: return Glibc.gethostbyname("127.0.0.\(number)")
            }
        }
    }

    /// What a caller reads.
    struct Answer: Equatable, Sendable {
        var name: String
        var aliases: [String]
        var addresses: [[UInt8]]

        init(_ entry: UnsafePointer<hostent>) {
            let entry = entry.pointee
            name = String(cString: entry.h_name)
            aliases = items(entry.h_aliases).map { String(cString: $0) }
            addresses = items(entry.h_addr_list).map { item in
                (0..<Int(entry.h_length)).map { UInt8(bitPattern: item[$0]) }
            }
        }
    }

    @Test(arguments: Call.allCases)
    func answerStaysWhileOtherGreenletsAsk(call: Call) async throws {
        try await withReactor { _ in
            let wake = Event()
            let first = Greenlet.spawn { () throws -> (before: Answer, after: Answer, place: UInt)? in
                guard let entry = call.answer(1) else { return nil }
                let before = Answer(entry)
                try wake.wait()  // parked in connect, say
                return (before, Answer(entry), UInt(bitPattern: entry))
            }
            while wake.waiterCount == 0, !first.isReady { await Greenlet.yield() }
            var places: [UInt] = []
            for _ in 0..<5 {
                let place = try await Greenlet.spawn { () -> UInt in
                    _ = call.answer(2)
                    return UInt(bitPattern: call.answer(3))
                }.get()
                places.append(place)
            }
            wake.set()
            let answers = try #require(try await first.get())
            #expect(answers.after == answers.before)
            #expect(answers.before.addresses.allSatisfy { $0 == [127, 0, 0, 1] })
            #expect(!places.contains(answers.place) && !places.contains(0))
        }
    }

    @Test func answersOfDifferentFunctionsLeaveEachOtherAlone() async throws {
        try await withReactor { _ in
            let places = try await Greenlet.spawn {
                let entries = [Call.gethostbyname, .gethostbyname2, .gethostbyaddr].map { $0.answer(1) }
                let again = Call.numeric.answer(4)
                #expect(again == entries[0])
                #expect(again.map { Answer($0).addresses } == [[127, 0, 0, 4]])
                #expect(entries[1].map { Answer($0).addresses } == [[127, 0, 0, 1]])
                return entries.map { UInt(bitPattern: $0) }
            }.get()
            #expect(Set(places).count == 3 && !places.contains(0))
        }
    }

    @Test func offFibersTheAnswerIsLibcs() throws {
        typealias Function = @convention(c) (UnsafePointer<CChar>) -> UnsafeMutablePointer<hostent>?
        let original = try #require(BlockingShims.original("gethostbyname", as: Function.self))
        let entry = try #require(gethostbyname("127.0.0.5"))
        #expect(Answer(entry).addresses == [[127, 0, 0, 5]])
        #expect(original("127.0.0.6") == entry)
        #expect(Answer(entry).addresses == [[127, 0, 0, 6]])
        #expect(gethostbyname("localhost").map { Answer($0).addresses.first?.first } == 127)
    }

    @Test func whatAFiberKeepsIsReleasedAtItsEnd() throws {
        let released = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        defer { released.deallocate() }
        released.pointee = 0
        let stack = try #require(cf_fiber_map(64 * 1024))
        defer { cf_fiber_unmap(stack) }
        for round in 1...3 {
            cf_fiber_prepare(
                stack,
                { argument in
                    let fiber = cf_fiber_current()!  // this code runs on one
                    #expect(fiber.pointee.locals == nil)
                    fiber.pointee.locals = argument
                    fiber.pointee.release_locals = { $0!.assumingMemoryBound(to: Int.self).pointee += 1 }
                    cf_fiber_park()
                    #expect(fiber.pointee.locals == argument)
                }, released)
            #expect(cf_fiber_resume(stack) == 0)
            #expect(released.pointee == round - 1)
            #expect(cf_fiber_resume(stack) == 1)
            #expect(released.pointee == round)
            #expect(stack.pointee.locals == nil)
        }
    }
}

/// The entries of an array that NULL ends.
private func items(_ list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?)
    -> [UnsafeMutablePointer<CChar>]
{
    var items: [UnsafeMutablePointer<CChar>] = []
    var next = list
    while let item = next?.pointee {
        items.append(item)
        next = next.map { $0 + 1 }
    }
    return items
}
