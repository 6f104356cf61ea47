import CBlockingShims

extension BlockingShims {
    /// libc's own function behind a shim: one that blocks the calling thread, in a greenlet, too.
    /// ```swift
    /// let count = BlockingShims.original(\.poll)(&entries, nfds_t(entries.count), 0)   // neither parks nor yields
    /// ```
    /// Any thread; never waits.
    public static func original<Function>(_ function: KeyPath<Originals, Function>) -> Function {
        Originals()[keyPath: function]
    }

    /// libc's own function behind the shim called `name`, for those of ``functions`` that ``Originals`` has no member for.
    /// ```swift
    /// typealias Lock = @convention(c) (UnsafeMutablePointer<pthread_rwlock_t>) -> Int32
    /// let lock = BlockingShims.original("pthread_rwlock_rdlock", as: Lock.self)
    /// ```
    /// Nil when no shim is called `name`, or this libc has no such function. Any thread; never waits.
    /// - Precondition: `Function` is the C function's type, written with `@convention(c)`; nothing can check that.
    public static func original<Function>(_ name: String, as type: Function.Type) -> Function? {
        precondition(
            MemoryLayout<Function>.size == MemoryLayout<UnsafeRawPointer>.size,
            "the type of \(name) is not a C function's: write @convention(c) before it")
        guard let index = indices[name], let address = cbs_original_at(index) else { return nil }
        // Of one size, as just checked; the rest is the caller's word.
        return unsafeBitCast(address, to: type)
    }

    private static let indices = Dictionary(
        uniqueKeysWithValues: names.enumerated().map { ($0.element, $0.offset) })
}
