import ArgumentParser
import ReactorCore

/// The executable: `scenarios list`, `scenarios run NAME`.
@main
struct ScenariosCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenarios",
        abstract:
            "Well-known small programs from articles about Twisted, in Swift: run them, then read them.",
        discussion: "Each is one file in Sources/scenarios.",
        subcommands: [List.self, Run.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Names the scenarios and what they show.")

        func run() { print(ScenariosCommand.list) }
    }

    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Runs a scenario.")

        @Argument(help: "A name that `scenarios list` prints.")
        var name: String

        @Option(help: "How long a second takes, in seconds: 0.1 is ten times as fast.")
        var scale = 1.0

        func validate() throws {
            guard Scenario.named(name) != nil else {
                throw ValidationError("no scenario is called \"\(name)\"; `scenarios list` names them")
            }
            guard scale > 0, scale <= 100 else {
                throw ValidationError("--scale \(scale) makes no sense: more than 0, 100 at most")
            }
        }

        func run() throws {
            let scenario = Scenario.named(name)!  // validate() has looked
            let stage = Stage.onStandardOutput(scale: scale)
            let elapsed = try Reactor.shared.run(until: {
                let start = reactor.now
                try await scenario.play(stage)
                return start.duration(to: reactor.now)
            })
            stage.print("* Elapsed time: \(elapsed.formattedSeconds) seconds")
        }
    }

    /// A line for each scenario, in columns.
    static var list: String {
        let width = Scenario.all.map(\.name.count).max()!  // there are some
        return Scenario.all.map { scenario in
            let padding = String(repeating: " ", count: width - scenario.name.count)
            return "\(scenario.name)\(padding)  \(scenario.lesson) (\(scenario.source))"
        }.joined(separator: "\n")
    }
}

extension Duration {
    /// Seconds with two decimals, as the article prints them.
    var formattedSeconds: String {
        let hundredths = Int((self / .milliseconds(10)).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
