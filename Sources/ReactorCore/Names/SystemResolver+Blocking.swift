import CLinux

extension SystemResolver {
    /// As `resolve`, for threads that run no reactor: blocks the calling thread, for `timeout` at most from now on. The
    /// look-up runs on one of the resolver's own threads all the same, for nothing else can be left when the time is over.
    ///
    /// - Throws: `ReactorError` with code `nameNotFound`, `nameServiceFailed`, `timedOut`, `invalidArgument` for a port that is
    ///   none.
    package nonisolated func resolveBlocking(
        host: String, port: Int, family: AddressFamily, timeout: Duration
    ) throws(ReactorError) -> [ResolvedAddress] {
        if let address = try Self.numericAddress(of: host, port: port, family: family) { return [address] }
        let quoted = String(reflecting: host)
        let name = try HostName(host)
        let answer = BlockingAnswer()
        let lookUp = lookUp
        let ticket = try pool.enqueue {
            answer.set(Result { () throws(ReactorError) in try lookUp(name.text, family) })
        }
        guard let result = answer.wait(for: timeout) else {
            _ = ticket.cancel()
            throw ReactorError(.timedOut, "looking up the host \(quoted) took longer than \(timeout)")
        }
        let found = try result.get()
        guard !found.isEmpty else {
            throw ReactorError(
                .nameNotFound, "the host \(quoted) has no address: its resolver found none")
        }
        return found.map { $0.with(port: port) }
    }

    /// The address that `host` spells in numbers; nil for a name.
    ///
    /// - Throws: `ReactorError` with code `nameNotFound` when it is not of the family, `invalidArgument` for a port that is
    ///   none.
    package nonisolated static func numericAddress(
        of host: String, port: Int, family: AddressFamily
    ) throws(ReactorError) -> ResolvedAddress? {
        guard (0...65_535).contains(port) else {
            throw ReactorError(
                .invalidArgument,
                "port \(port) of the host \(String(reflecting: host)) is not between 0 and 65535")
        }
        guard let address = ResolvedAddress(numeric: host, port: port) else { return nil }
        guard address.isOf(family) else {
            throw ReactorError(.nameNotFound, "the address \(host) is not of the family \(family)")
        }
        return address
    }
}

/// What one thread waits for and another finds.
///
/// Unchecked: `result` is used under the monitor.
private final class BlockingAnswer: @unchecked Sendable {
    typealias Answer = Result<[ResolvedAddress], ReactorError>

    private let monitor = ThreadMonitor()
    private var result: Answer?

    func set(_ result: Answer) {
        monitor.withLock {
            self.result = result
            monitor.signal()
        }
    }

    /// The result, or nil when there is none in time.
    func wait(for timeout: Duration) -> Answer? {
        // Waits longer than the clock's range are waits for ever.
        let now = clinux_monotonic_ns()
        let (deadline, isBeyond) = now.addingReportingOverflow(max(0, timeout.wholeNanoseconds))
        return monitor.withLock {
            while result == nil {
                if monitor.wait(until: isBeyond ? .max : deadline) { break }
            }
            return result
        }
    }
}
