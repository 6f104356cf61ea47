/// Whose code a task runs, as the monitor's thread may know it.
public struct TaskLabel: Sendable, Hashable, CustomStringConvertible {
    /// The greenlet's number.
    public let id: Int
    /// Its name.
    public let name: String
    /// Where it was spawned.
    public let spawnSite: CallSite

    package init(id: Int, name: String, spawnSite: CallSite) {
        self.id = id
        self.name = name
        self.spawnSite = spawnSite
    }

    /// `greenlet "reader" (2, spawned at App/Main.swift:12)`.
    public var description: String { "greenlet \"\(name)\" (\(id), spawned at \(spawnSite))" }

    /// Whether both are about the same greenlet of one reactor.
    public static func == (lhs: TaskLabel, rhs: TaskLabel) -> Bool {
        lhs.id == rhs.id && lhs.name == rhs.name
    }

    /// By the number.
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
