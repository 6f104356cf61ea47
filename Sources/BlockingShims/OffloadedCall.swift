/// A C function and its argument on their way to a worker thread.
///
/// Whoever drops the last reference releases the argument: the worker that ran it, the pool that dropped it from its queue, or the
/// fiber that was killed first. So `release` is called exactly once, whatever happened.
///
/// Unchecked: it is immutable, and the argument is made for two threads and counts its owners.
final class OffloadedCall: @unchecked Sendable {
    typealias CFunction = @convention(c) (UnsafeMutableRawPointer?) -> Void

    private let work: CFunction
    private let release: CFunction
    private let argument: UnsafeMutableRawPointer?

    init(_ work: @escaping CFunction, _ release: @escaping CFunction, _ argument: UnsafeMutableRawPointer?) {
        self.work = work
        self.release = release
        self.argument = argument
    }

    deinit { release(argument) }

    /// Makes the call, on the calling thread.
    func run() { work(argument) }
}
