/// The elements of a queue, in the order in which they are taken out: what tells the kinds of queues apart.
public protocol QueueStorage<Element>: SendableMetatype {
    /// What the queue carries.
    associatedtype Element: Sendable

    /// What the queue is called in reports.
    static var kind: String { get }
    /// Without elements.
    init()
    /// How many elements there are.
    var count: Int { get }
    /// The element to be taken next.
    var first: Element? { get }
    /// Adds an element.
    mutating func add(_ element: Element)
    /// Takes the first element out.
    mutating func takeFirst() -> Element?
}
