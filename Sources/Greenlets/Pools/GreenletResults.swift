public import ReactorCore

/// The results of a pool's greenlets, one for each input, as they are wanted: what `GreenletPool.results(of:)` and
/// `unorderedResults(of:)` return.
///
/// ```swift
/// var pages = pool.results(of: urls) { try await fetch($0) }.makeAsyncIterator()
/// while true {
///     do {
///         guard let page = try await pages.next() else { break }
///         index(page)
///     } catch { print("no page: \(error)") }          // the others still come
/// }
/// ```
/// Nothing starts before an iterator is first asked. Each iterator takes the inputs anew. Dropping an iterator before
/// its end takes no more inputs and kills the greenlets under way.
public struct GreenletResults<Output: Sendable>: AsyncSequence, Sendable {
    /// What the greenlets return.
    public typealias Element = Output

    let start: @Sendable @ReactorActor () -> ResultFeed<Output>

    /// An iterator. Any thread; never waits.
    public func makeAsyncIterator() -> Iterator { Iterator(start) }

    /// Takes the results one by one. At most one task at a time.
    @ReactorActor
    public final class Iterator: AsyncIteratorProtocol {
        private let start: @Sendable @ReactorActor () -> ResultFeed<Output>
        private var running: (feed: ResultFeed<Output>, reactor: Reactor)?

        nonisolated init(_ start: @escaping @Sendable @ReactorActor () -> ResultFeed<Output>) {
            self.start = start
        }

        deinit {
            guard let (feed, reactor) = running else { return }
            if reactor.isOnReactorThread {
                ReactorActor.assumeIsolated { feed.stop() }
            } else {
                reactor.callFromThread { feed.stop() }
            }
        }

        /// The next result; nil after the last. Parks the calling task until there is one.
        ///
        /// - Throws: the error of the greenlet whose turn it is: the next call goes on with the next result; as the
        ///   last, the error of the inputs; `CancellationError` when the calling task is cancelled.
        public func next() async throws -> Output? {
            if running == nil { running = (start(), .current) }
            return try await running!.feed.next()?.get()  // set just above
        }
    }

    /// Runs `body` with result after result: `for try await`, for synchronous code in a greenlet. To go on after an
    /// error, take an iterator and call `Greenlet.blockingCall { try await iterator.next() }`.
    ///
    /// - Throws: what `body` throws; what `Iterator.next()` throws; `GreenletError` with code `notInGreenlet`.
    public func forEach(_ body: @ReactorActor (Output) throws -> Void) throws {
        let iterator = makeAsyncIterator()
        while let output = try Greenlet.blockingCall({ try await iterator.next() }) {
            try Greenlet.inGreenlet { try body(output) }
        }
    }
}
