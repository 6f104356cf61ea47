import Greenlets
import ReactorCore

/// Hands values from one greenlet to another; nothing is kept in between.
@ReactorActor
final class Channel<Element: Sendable> {
    private var senders: [(Element, CheckedContinuation<Void, Never>)] = []
    private var receivers: [CheckedContinuation<Element, Never>] = []

    func send(_ element: Element) async throws {
        if !receivers.isEmpty { return receivers.removeFirst().resume(returning: element) }
        await withCheckedContinuation { senders.append((element, $0)) }
    }

    func receive() async throws -> Element {
        if !senders.isEmpty {
            let (element, sender) = senders.removeFirst()
            sender.resume()
            return element
        }
        return await withCheckedContinuation { receivers.append($0) }
    }

    nonisolated func send(_ element: Element) throws {
        try Greenlet.blockingCall { try await self.send(element) }
    }

    nonisolated func receive() throws -> Element { try Greenlet.blockingCall { try await self.receive() } }
}
