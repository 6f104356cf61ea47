import CLinux

/// Tasks that wait for their turn, first come, first served: the one wait queue under locks, queues, events and pools.
///
/// A latch leaves the line at the moment it opens, fails or its task is cancelled, so `first` is always somebody who still
/// waits. The line runs through the latches themselves: to stand in it costs no allocation, to leave it, from anywhere, is
/// O(1). A latch stands in one line at most. Reactor only; follows Trio's ParkingLot.
///
/// Not generic, so that a line of any kind of latch is compiled once, here.
@ReactorActor public final class ParkingLine {
    /// A stored property of a class stays where it is, so latches may point at it. Unsafe: for `deinit` alone.
    @exclusivity(unchecked) private nonisolated(unsafe) var list = clinux_link()

    /// An empty line.
    public nonisolated init() { clinux_list_init(&list) }

    deinit {
        // The latches stay closed, in no line.
        while clinux_list_first(&list) != nil { clinux_link_remove(list.next) }
    }

    /// How many wait.
    ///
    /// - Complexity: O(n).
    public var count: Int {
        var count = 0
        var next = clinux_list_first(&list)
        while let place = next {
            count += 1
            next = clinux_link_next(place, &list)
        }
        return count
    }

    /// Whether nobody waits.
    public var isEmpty: Bool { clinux_list_first(&list) == nil }
    /// Who has waited longest.
    public var first: Latch? { clinux_list_first(&list).map(Latch.at(place:)) }

    /// Puts a latch at the end of the line.
    ///
    /// - Precondition: it is still closed, and in no line.
    public func append(_ latch: Latch) {
        check(latch)
        latch.withPlace { clinux_link_insert($0, &list) }
    }

    /// Puts a latch before all others: for one that was served and could not use it.
    ///
    /// - Precondition: as `append(_:)`.
    public func prepend(_ latch: Latch) {
        check(latch)
        latch.withPlace { clinux_link_insert($0, list.next) }
    }

    private func check(_ latch: Latch) {
        precondition(
            !latch.isInLine && latch.isPending, "a latch joins a line that is open or in a line already")
    }

    /// Takes out whoever has waited longest; the caller opens the latch.
    public func popFirst() -> Latch? {
        guard let latch = first else { return nil }
        clinux_link_remove(list.next)
        return latch
    }

    /// Opens the latch of whoever has waited longest. Whether anybody waited.
    @discardableResult
    public func openFirst() -> Bool { first?.open() ?? false }

    /// Opens the latches of all who wait now, in order. How many that were.
    @discardableResult
    public func openAll() -> Int {
        var count = 0
        while let latch = first {
            latch.open()
            count += 1
        }
        return count
    }

    /// Ends the wait of all who wait now with an error, in order.
    public func fail(with error: any Error) {
        while let latch = first { latch.open(throwing: error) }
    }
}
