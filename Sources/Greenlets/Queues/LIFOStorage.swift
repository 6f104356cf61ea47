/// Elements of which the latest leaves first: the storage of `LIFOQueue`.
public struct LIFOStorage<Element: Sendable>: QueueStorage {
    @usableFromInline var elements: [Element] = []

    /// `LIFO queue`.
    public static var kind: String { "LIFO queue" }
    /// Without elements.
    @inlinable public init() {}
    /// How many elements there are.
    @inlinable public var count: Int { elements.count }
    /// The element that came last.
    @inlinable public var first: Element? { elements.last }
    /// Adds an element before all others.
    @inlinable public mutating func add(_ element: Element) { elements.append(element) }
    /// Takes the element out that came last.
    @inlinable public mutating func takeFirst() -> Element? { elements.popLast() }
}
