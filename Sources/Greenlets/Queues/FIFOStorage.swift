public import DequeModule

/// Elements that leave in the order in which they came: the storage of `Queue`.
public struct FIFOStorage<Element: Sendable>: QueueStorage {
    @usableFromInline var elements: Deque<Element> = []

    /// `queue`.
    public static var kind: String { "queue" }
    /// Without elements.
    @inlinable public init() {}
    /// How many elements there are.
    @inlinable public var count: Int { elements.count }
    /// The element that came first.
    @inlinable public var first: Element? { elements.first }
    /// Adds an element behind all others.
    @inlinable public mutating func add(_ element: Element) { elements.append(element) }
    /// Takes the element out that came first.
    @inlinable public mutating func takeFirst() -> Element? { elements.popFirst() }
}
