package import ReactorCore

/// The greenlets of one reactor that have not ended.
@ReactorActor
package final class GreenletRegistry {
    private var lastID = 0
    private var live: [Int: AnyGreenlet] = [:]

    /// The registry of a reactor.
    package static func of(_ reactor: Reactor) -> GreenletRegistry {
        let key = ObjectIdentifier(GreenletRegistry.self)
        if let registry = reactor.attachments[key] {
            // Stored under this key three lines below.
            return unsafeDowncast(registry, to: GreenletRegistry.self)
        }
        // Every greenlet asks for the registry before it binds itself.
        TaskLocals.ignore(AnyGreenlet.$current)
        let registry = GreenletRegistry()
        reactor.attachments[key] = registry
        return registry
    }

    func nextID() -> Int {
        lastID += 1
        return lastID
    }

    func add(_ greenlet: AnyGreenlet) { live[greenlet.id] = greenlet }
    func remove(_ greenlet: AnyGreenlet) { live[greenlet.id] = nil }

    /// Greenlets that have been spawned and have not ended, oldest first.
    package var greenlets: [AnyGreenlet] { live.values.sorted { $0.id < $1.id } }
}
