/// Sizes of a pool at one moment.
public struct PoolCounts: Hashable, Sendable {
    /// Upper bound of the other four together.
    public var maximum = 0
    /// Ready to be borrowed.
    public var idle = 0
    /// In the hands of a borrower.
    public var borrowed = 0
    /// Being connected.
    public var opening = 0
    /// Being closed; the server may still see them.
    public var closing = 0
    /// Waiting for a connection.
    public var waiting = 0

    /// Connections the server may see.
    @inlinable public var total: Int { idle + borrowed + opening + closing }

    /// Creates all-zero counts.
    @inlinable public init() {}
}
