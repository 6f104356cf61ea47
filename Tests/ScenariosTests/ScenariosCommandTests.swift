import ArgumentParser
import Glibc
import ReactorCore
import ReactorTesting
import Testing

@testable import scenarios

@Suite struct ScenariosCommandTests {
    @Test func everyScenarioHasALineAndANameOfItsOwn() {
        let names = Scenario.all.map(\.name)
        #expect(Set(names).count == names.count)
        let lines = ScenariosCommand.list.split(separator: "\n")
        #expect(lines.map { String($0.prefix { $0 != " " }) } == names)
    }

    @Test(arguments: [["run"], ["run", "nothing"], ["run", "short-poem", "--scale", "0"]])
    func aSenselessCommandIsRefused(_ arguments: [String]) {
        #expect(throws: (any Error).self) { try ScenariosCommand.parseAsRoot(arguments) }
    }

    @Test func anUnknownNameIsAnsweredWithWhereToLook() {
        do {
            _ = try ScenariosCommand.parseAsRoot(["run", "nothing"])
            Issue.record("there is no scenario of that name")
        } catch {
            let message = ScenariosCommand.message(for: error)
            #expect(message == "no scenario is called \"nothing\"; `scenarios list` names them")
        }
    }

    @Test(arguments: [
        (Duration.milliseconds(12_034), "12.03"), (.zero, "0.00"), (.milliseconds(3179), "3.18"),
        (.seconds(9), "9.00"),
    ])
    func durationsHaveTwoDecimals(_ duration: Duration, _ text: String) {
        #expect(duration.formattedSeconds == text)
    }

    @Test func theProgramPrintsWhatTheArticlePrints() async throws {
        let lines = try await withReactor { reactor in
            try await reactor.threadPool.run { try output(of: "run one-developer --scale 0.001") }
        }
        #expect(lines.first == "Start installation for Bill")
        #expect(lines.dropLast().last == "All done for Mark")
        #expect(lines.last?.hasPrefix("* Elapsed time: ") == true)
        #expect(lines.count == 9)
    }
}

/// What the executable prints, which is beside this test's own; reading blocks.
private func output(of arguments: String) throws -> [String] {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let directory = path.split(separator: "/").dropLast().joined(separator: "/")
    let file = try #require(popen("'/\(directory)/scenarios' \(arguments)", "r"))
    var lines: [String] = []
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, file) > 0, let line {
        lines.append(String(cString: line).trimmingSuffix { $0.isNewline })
    }
    #expect(pclose(file) == 0)
    return lines
}

extension String {
    fileprivate func trimmingSuffix(_ isUnwanted: (Character) -> Bool) -> String {
        var text = self[...]
        while let last = text.last, isUnwanted(last) { text.removeLast() }
        return String(text)
    }
}
