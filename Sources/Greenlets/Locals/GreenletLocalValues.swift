import ReactorCore

/// The values of one greenlet for all `GreenletLocal`s that it has looked at; or those of code outside greenlets.
@ReactorActor
final class GreenletLocalValues {
    let reactor: Reactor
    private var boxes: [UInt64: GreenletLocalAnyBox] = [:]

    init(_ reactor: Reactor) { self.reactor = reactor }

    /// Those of the calling greenlet; nil when it has ended and the caller is a task it left behind.
    static var ofCaller: GreenletLocalValues? {
        if let greenlet = AnyGreenlet.current {
            if let values = greenlet.attachments.locals { return values }
            guard !greenlet.isReady else { return nil }
            let values = GreenletLocalValues(greenlet.reactor)
            greenlet.attachments.locals = values
            return values
        }
        let registry = GreenletRegistry.of(.current)
        if let values = registry.localsOutside { return values }
        let values = GreenletLocalValues(.current)
        registry.localsOutside = values
        return values
    }

    subscript(key: GreenletLocalKey) -> GreenletLocalAnyBox? { boxes[key.id] }

    func add(_ box: GreenletLocalAnyBox) {
        boxes[box.key.id] = box
        box.key.note(self)
    }

    func remove(_ key: GreenletLocalKey) {
        boxes[key.id] = nil
        key.forget(self)
    }

    /// For a `GreenletLocal` that is gone.
    func remove(_ id: UInt64) { boxes[id] = nil }

    /// Frees all values: the greenlet has ended.
    func end() {
        let boxes = boxes
        self.boxes = [:]
        for box in boxes.values { box.key.forget(self) }
    }
}
