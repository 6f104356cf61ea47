import Greenlets
public import ReactorCore

/// The bytes of a COPY … TO STDOUT as they come, in chunks of some 64 KiB.
///
/// ```swift
/// for try await chunk in pool.copyOut(query: "SELECT * FROM film", format: .csv(header: true)) { try file.write(chunk) }
/// ```
/// Chunks are cut anywhere. All that is said of `PostgresRowStream` about pace, ends and errors holds here, too.
public struct PostgresCopyStream: AsyncSequence, Sendable {
    private let open: @Sendable @ReactorActor () -> CopyOut

    init(_ open: @escaping @Sendable @ReactorActor () -> CopyOut) { self.open = open }

    /// An iterator. Any thread; never waits.
    public func makeAsyncIterator() -> Iterator { Iterator(open) }

    /// Takes the chunks one by one. At most one task at a time.
    @ReactorActor
    public final class Iterator: AsyncIteratorProtocol {
        private let open: @Sendable @ReactorActor () -> CopyOut
        private var running: (copy: CopyOut, reactor: Reactor)?

        nonisolated init(_ open: @escaping @Sendable @ReactorActor () -> CopyOut) { self.open = open }

        deinit {
            guard let (copy, reactor) = running else { return }
            if reactor.isOnReactorThread {
                ReactorActor.assumeIsolated { copy.abandon() }
            } else {
                reactor.callFromThread { copy.abandon() }
            }
        }

        /// The next chunk, never empty; nil after the last. Parks the calling task when nothing has arrived.
        ///
        /// - Throws: as `PostgresDatabase.query`, once: the next call returns nil.
        public func next() async throws -> [UInt8]? {
            if let running { return try await running.copy.next() }
            let copy = open()
            running = (copy, .current)
            return try await copy.next()
        }

        func close() async { await running?.copy.close() }
    }

    /// Runs `body` with chunk after chunk: `for try await`, for synchronous code in a greenlet; `body` may wait.
    ///
    /// - Throws: what `body` throws, after the COPY has been cancelled; as the iterator.
    public func forEachChunk(_ body: ([UInt8]) throws -> Void) throws {
        let iterator = makeAsyncIterator()
        do {
            while let chunk = try Greenlet.blockingCall({ try await iterator.next() }) { try body(chunk) }
        } catch {
            if Reactor.isOnAnyReactorThread {
                ReactorActor.assumeIsolated { cleanUp { await iterator.close() } }
            }
            throw error
        }
    }
}
