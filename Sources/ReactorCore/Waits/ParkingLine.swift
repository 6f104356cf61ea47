/// Tasks that wait for their turn, first come, first served: the one wait queue under locks, queues, events and pools.
///
/// A latch leaves the line at the moment it opens, fails or its task is cancelled, so `first` is always somebody who still
/// waits. The line runs through the latches themselves: to stand in it costs no allocation, to leave it, from anywhere, is
/// O(1). A latch stands in one line at most. Reactor only; follows Trio's ParkingLot.
///
/// Not generic, so that a line of any kind of latch is compiled once, here.
@ReactorActor public final class ParkingLine {
    /// Unsafe: a latch that goes takes itself out before. Nonisolated, as the next two, for `deinit` and for latches, which
    /// are reactor code but not isolated.
    @exclusivity(unchecked) private nonisolated(unsafe) unowned(unsafe) var head: Latch?
    @exclusivity(unchecked) private nonisolated(unsafe) unowned(unsafe) var tail: Latch?
    @exclusivity(unchecked) private nonisolated(unsafe) var length = 0

    /// An empty line.
    public nonisolated init() {}

    deinit {
        while let latch = head { takeOut(latch) }
    }

    /// How many wait.
    public var count: Int { length }
    /// Whether nobody waits.
    public var isEmpty: Bool { length == 0 }
    /// Who has waited longest.
    public var first: Latch? { head }

    /// Puts a latch at the end of the line.
    ///
    /// - Precondition: it is still closed, and in no line.
    public func append(_ latch: Latch) {
        precondition(
            latch.line == nil && latch.isPending, "a latch joins a line that is open or in a line already")
        latch.line = self
        latch.previousInLine = tail
        latch.nextInLine = nil
        if let tail { tail.nextInLine = latch } else { head = latch }
        tail = latch
        length += 1
    }

    /// Puts a latch before all others: for one that was served and could not use it.
    ///
    /// - Precondition: as `append(_:)`.
    public func prepend(_ latch: Latch) {
        precondition(
            latch.line == nil && latch.isPending, "a latch joins a line that is open or in a line already")
        latch.line = self
        latch.previousInLine = nil
        latch.nextInLine = head
        if let head { head.previousInLine = latch } else { tail = latch }
        head = latch
        length += 1
    }

    /// Takes out whoever has waited longest; the caller opens the latch.
    public func popFirst() -> Latch? {
        guard let latch = head else { return nil }
        takeOut(latch)
        return latch
    }

    /// Opens the latch of whoever has waited longest. Whether anybody waited.
    @discardableResult
    public func openFirst() -> Bool {
        guard let latch = head else { return false }
        return latch.open()
    }

    /// Opens the latches of all who wait now, in order. How many that were.
    @discardableResult
    public func openAll() -> Int {
        let count = length
        while let latch = head { latch.open() }
        return count
    }

    /// Ends the wait of all who wait now with an error, in order.
    public func fail(with error: any Error) {
        while let latch = head { latch.open(throwing: error) }
    }

    /// Takes a latch out of this line.
    nonisolated func takeOut(_ latch: Latch) {
        if let previous = latch.previousInLine {
            previous.nextInLine = latch.nextInLine
        } else {
            head = latch.nextInLine
        }
        if let next = latch.nextInLine {
            next.previousInLine = latch.previousInLine
        } else {
            tail = latch.previousInLine
        }
        latch.line = nil
        latch.previousInLine = nil
        latch.nextInLine = nil
        length -= 1
    }
}
