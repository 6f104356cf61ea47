public import ReactorCore

/// A value that each greenlet has for itself. gevent's local.
///
/// ```swift
/// @ReactorActor enum Session {
///     @GreenletLocal static var user = "nobody"
/// }
/// Greenlet.spawn { Session.user = "ann"; try work() }     // seen in work(), and by nobody else
/// ```
/// The initial value is made anew for each greenlet, as it first looks. Tasks that a greenlet starts, child tasks and
/// others, share its value; a greenlet that it spawns starts with the initial one: what is to be handed down is a
/// `TaskLocal`. Code outside greenlets has one value for each reactor. A value is freed when its greenlet ends or the
/// `GreenletLocal` goes, whichever is first; for tasks that outlive their greenlet it is the initial one, and what
/// they set is lost. Reactor only.
@propertyWrapper
@ReactorActor
public final class GreenletLocal<Value> {
    let key = GreenletLocalKey()
    private let initial: @ReactorActor () -> Value

    /// Makes a local value; `wrappedValue` is evaluated once for each greenlet that looks.
    public nonisolated init(wrappedValue: @autoclosure @escaping @ReactorActor () -> Value) {
        initial = wrappedValue
    }

    deinit { key.clear() }

    /// The calling greenlet's value.
    public var wrappedValue: Value {
        get { box.value }
        _modify { yield &box.value }
    }

    /// The `GreenletLocal` itself, for `reset()`.
    public nonisolated var projectedValue: GreenletLocal { self }

    /// Frees the calling greenlet's value: the next look makes the initial one again. Never waits.
    public func reset() { GreenletLocalValues.ofCaller?.remove(key) }

    private var box: GreenletLocalBox<Value> {
        guard let values = GreenletLocalValues.ofCaller else { return GreenletLocalBox(key, initial()) }
        // Only this key's boxes are kept under it.
        if let box = values[key] { return unsafeDowncast(box, to: GreenletLocalBox<Value>.self) }
        let box = GreenletLocalBox(key, initial())
        values.add(box)
        return box
    }
}
