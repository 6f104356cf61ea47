import DequeModule
import Synchronization

/// Something in a reactor's life, or in a program's, that code can hang triggers on.
public struct SystemEvent: Hashable, Sendable, CustomStringConvertible {
    private enum Name: Hashable {
        case startup, shutdown
        case custom(String)
    }

    private let name: Name

    /// `run()` was called: fired before the first turn.
    public static let startup = SystemEvent(name: .startup)
    /// `stop()` was called: fired by the loop, which then returns.
    public static let shutdown = SystemEvent(name: .shutdown)
    /// An event of the program's own, which `fireSystemEvent` fires.
    public static func custom(_ name: String) -> SystemEvent { SystemEvent(name: .custom(name)) }

    /// Whether the program fires it, not the reactor.
    var isCustom: Bool { if case .custom = name { true } else { false } }

    /// The event's name.
    public var description: String {
        switch name {
        case .startup: "startup"
        case .shutdown: "shutdown"
        case .custom(let name): name
        }
    }
}

/// The three parts in which a system event fires, one after the other.
public enum SystemEventPhase: Int, Sendable, CaseIterable {
    /// Ahead of the event: what may still need everything that is there.
    case before
    /// The event itself.
    case during
    /// When it is over.
    case after

    /// The phase that follows.
    var next: SystemEventPhase? { SystemEventPhase(rawValue: rawValue + 1) }
}

/// What `addSystemEventTrigger` returns, to take the trigger back.
public struct SystemEventTrigger: Hashable, Sendable {
    let number: UInt64
}

/// The triggers of a reactor that have not fired yet. Safe from any thread.
final class SystemEvents: Sendable {
    /// One trigger: it is called once, and says through its ticket when it is through.
    struct Entry: Sendable {
        let number: UInt64
        let site: CallSite
        let ticket: Ticket
        let call: @Sendable @ReactorActor () throws -> Void
    }

    /// What tells the firing that a trigger's work has ended; the firing sets it before it calls the trigger.
    @ReactorActor final class Ticket {
        var onEnd: @ReactorActor ((any Error)?) -> Void = { _ in }
        nonisolated init() {}
    }

    private struct Key: Hashable {
        let event: SystemEvent
        let phase: SystemEventPhase
    }

    private struct State {
        var lastNumber: UInt64 = 0
        var entries: [Key: Deque<Entry>] = [:]
    }

    private let state = Mutex(State())

    /// Adds a trigger behind those of its phase.
    func add(
        _ phase: SystemEventPhase, _ event: SystemEvent, site: CallSite, ticket: Ticket,
        _ call: @escaping @Sendable @ReactorActor () throws -> Void
    ) -> SystemEventTrigger {
        state.withLock { state in
            state.lastNumber += 1
            let entry = Entry(number: state.lastNumber, site: site, ticket: ticket, call: call)
            state.entries[Key(event: event, phase: phase), default: []].append(entry)
            return SystemEventTrigger(number: state.lastNumber)
        }
    }

    /// Takes a trigger back. Nil when it was not there; the caller releases what it held, outside the lock.
    func remove(_ trigger: SystemEventTrigger) -> Entry? {
        state.withLock { state in
            for (key, entries) in state.entries {
                guard let index = entries.firstIndex(where: { $0.number == trigger.number }) else { continue }
                return state.entries[key]?.remove(at: index)
            }
            return nil
        }
    }

    /// Takes the next trigger to call, in the order in which they were added.
    func takeNext(_ phase: SystemEventPhase, _ event: SystemEvent) -> Entry? {
        state.withLock { $0.entries[Key(event: event, phase: phase)]?.popFirst() }
    }
}
