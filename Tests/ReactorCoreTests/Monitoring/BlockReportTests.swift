import Testing

@testable import ReactorCore

@Suite struct BlockReportTests {
    private func report(_ functions: [String?], isOver: Bool = false) -> BlockReport {
        let stack = functions.map { StackFrame(function: $0, file: "/usr/bin/films", offset: 0x4711) }
        return BlockReport(
            greenlet: nil, operation: nil, systemCall: "poll", stack: stack, duration: .milliseconds(120),
            isOver: isOver)
    }

    @Test func theStackEndsAtTheLoopAndHasNoThunks() {
        let report = report([
            "poll", nil, "reabstraction thunk helper from () -> ()", "Film.all()",
            "partial apply forwarder for x",
            "ReactorCore.Reactor.turn(waitingAtMost: Swift.Duration?) -> ()", "main",
        ])
        #expect(
            report.description.split(separator: "\n").dropFirst() == [
                "  0: poll in /usr/bin/films + 0x4711", "  1: /usr/bin/films + 0x4711",
                "  3: Film.all() in /usr/bin/films + 0x4711",
            ])
        #expect(report.stack.count == 7, "programs get all")
    }

    @Test func aStackThatCouldNotBeReadSaysSo() {
        #expect(report([]).description.contains("(unknown: the system shows neither"))
    }

    @Test func aBlockThatIsOverIsOneLine() {
        #expect(
            report(["poll"], isOver: true).description
                == "the reactor's loop was blocked for 120ms by code outside any greenlet")
    }
}
