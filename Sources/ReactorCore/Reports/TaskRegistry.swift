/// What the reactor asks of Greenlets, which it does not know, for its reports.
@ReactorActor
package protocol TaskRegistry: AnyObject {
    /// Every greenlet that has not ended, oldest first.
    ///
    /// - Complexity: O(n), and a system call for each with a stack of its own when `withStacks`.
    func identities(withStacks: Bool) -> [TaskIdentity]
}

/// A greenlet as reports know it.
package struct TaskIdentity: Sendable {
    package let id: Int
    package let name: String
    package let parentID: Int?
    package let spawnSite: CallSite
    package let isSynchronous: Bool
    package let isStarted: Bool
    /// The task that runs it, by address; nil before it has begun.
    package let task: UInt?
    /// The task whose wait is its wait: another one while a request runs for a fiber.
    package let waitingTask: UInt?
    /// How often it has parked, where that is counted.
    package let parkCount: Int?
    package let stack: StackUse?

    package init(
        id: Int, name: String, parentID: Int?, spawnSite: CallSite, isSynchronous: Bool, isStarted: Bool,
        task: UInt?, waitingTask: UInt?, parkCount: Int?, stack: StackUse?
    ) {
        self.id = id
        self.name = name
        self.parentID = parentID
        self.spawnSite = spawnSite
        self.isSynchronous = isSynchronous
        self.isStarted = isStarted
        self.task = task
        self.waitingTask = waitingTask
        self.parkCount = parkCount
        self.stack = stack
    }

    /// `greenlet "reader" (2, spawned at App/Main.swift:12)`.
    var text: String { "greenlet \"\(name)\" (\(id), spawned at \(spawnSite))" }
}

/// How much of a greenlet's stack has been used.
public struct StackUse: Sendable, Hashable, Codable {
    /// Bytes that were ever touched since the stack was mapped, whole pages: by this greenlet, or by one before it on
    /// the same stack.
    public let highWater: Int
    /// Bytes there are.
    public let size: Int

    package init(highWater: Int, size: Int) {
        self.highWater = highWater
        self.size = size
    }
}

extension Reactor {
    /// The greenlets of this reactor that have not ended.
    @ReactorActor func identities(withStacks: Bool = false) -> [TaskIdentity] {
        (greenletRegistry as? any TaskRegistry)?.identities(withStacks: withStacks) ?? []
    }
}
