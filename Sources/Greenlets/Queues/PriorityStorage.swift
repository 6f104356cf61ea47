public import HeapModule

/// Elements of which the smallest leaves first, and of equal ones the one that came first: the storage of
/// `PriorityQueue`.
public struct PriorityStorage<Element: Comparable & Sendable>: QueueStorage {
    /// An element and when it came: a heap alone forgets that.
    @usableFromInline struct Entry: Comparable {
        @usableFromInline let element: Element
        @usableFromInline let number: UInt64

        @inlinable init(_ element: Element, _ number: UInt64) {
            self.element = element
            self.number = number
        }

        @inlinable static func < (left: Entry, right: Entry) -> Bool {
            if left.element < right.element { return true }
            if right.element < left.element { return false }
            return left.number < right.number
        }

        @inlinable static func == (left: Entry, right: Entry) -> Bool { left.number == right.number }
    }

    @usableFromInline var entries = Heap<Entry>()
    @usableFromInline var lastNumber: UInt64 = 0

    /// `priority queue`.
    public static var kind: String { "priority queue" }
    /// Without elements.
    @inlinable public init() {}
    /// How many elements there are.
    @inlinable public var count: Int { entries.count }
    /// The smallest element.
    @inlinable public var first: Element? { entries.min?.element }

    /// Adds an element.
    ///
    /// - Complexity: O(log n).
    @inlinable public mutating func add(_ element: Element) {
        lastNumber &+= 1
        entries.insert(Entry(element, lastNumber))
    }

    /// Takes the smallest element out.
    ///
    /// - Complexity: O(log n).
    @inlinable public mutating func takeFirst() -> Element? { entries.popMin()?.element }
}
