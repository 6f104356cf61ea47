import ReactorCore

/// A small program with a lesson: a name to run it by, where it was first told, what it shows, and its play.
struct Scenario: Sendable {
    /// What `scenarios run` is given.
    let name: String
    /// The article and the example in it.
    let source: String
    /// What to learn from it, in one line.
    let lesson: String
    /// The program. It runs as a task on a reactor and has ended when this returns.
    let play: @ReactorActor (Stage) async throws -> Void

    init(
        _ name: String, from source: String, _ lesson: String,
        play: @escaping @ReactorActor (Stage) async throws -> Void
    ) {
        self.name = name
        self.source = source
        self.lesson = lesson
        self.play = play
    }

    /// All there are, in the order in which to read them.
    static let all = [
        oneDeveloper, fiveDevelopers, fiveDevelopersOnThreads,
        twistedDeveloper, asyncDeveloper, fiveAtATime,
        workInAThread,
        shortPoem,
        innerCallback, innerErrback, innerErrbackHandled,
        pausedChain,
        cancelledPoem, cancelledPoemUnsent,
    ]

    /// The one of that name.
    static func named(_ name: String) -> Scenario? { all.first { $0.name == name } }
}
