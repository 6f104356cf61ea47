import CLinux
import Glibc

/// Who waits for which descriptor: one watcher a direction, indexed by descriptor number.
///
/// **Identity.** epoll knows *open file descriptions*, programs know *numbers*, and the two part ways: a
/// number closed by one owner is given to the next, and events of the old registration may already be in the
/// batch just read; a description that was dup'ed outlives the number it was registered under. So each number
/// carries a generation that changes whenever the reactor learns that the number means another file; events
/// carry the generation they were registered with, and a mismatch is dropped. See epoll(7), questions 6 and
/// 9. Watchers that came before the reactor learnt it are the old file's, and end with it (`register`).
@ReactorActor
struct DescriptorTable {
    /// What `addReader` or `addWriter` was given.
    final class Callback: Sendable {
        let call: @Sendable @ReactorActor () throws -> Void
        let site: CallSite
        /// Whether the reactor watches for itself, as its signalfd.
        let isInternal: Bool
        /// Whether it stays as long as the reactor, so that no leak check counts it.
        let isPermanent: Bool

        init(
            _ call: @escaping @Sendable @ReactorActor () throws -> Void, site: CallSite, isInternal: Bool,
            isPermanent: Bool = false
        ) {
            self.call = call
            self.site = site
            self.isInternal = isInternal
            self.isPermanent = isPermanent
        }
    }

    enum Watcher {
        /// A parked task; taken out when it is resumed.
        case waiter(DescriptorWaiter)
        /// A callback, called as long as the descriptor is ready, until removed.
        case callback(Callback)

        /// What a user added.
        var callback: Callback? {
            if case .callback(let callback) = self, !callback.isInternal { callback } else { nil }
        }

        var isPermanent: Bool {
            if case .callback(let callback) = self { callback.isPermanent } else { false }
        }

        /// Whether the place is really held: a waiter whose wait has ended gives it up when its task next
        /// runs.
        @ReactorActor var isTaken: Bool {
            if case .waiter(let waiter) = self { waiter.isPending } else { true }
        }
    }

    struct Entry {
        var generation: UInt32 = 0
        var isRegistered = false
        /// The epoll mask last asked for.
        var mask: UInt32 = 0
        var reader: Watcher?
        var writer: Watcher?

        var isWatched: Bool { reader != nil || writer != nil }

        func isWatched(besides directions: ReadySet) -> Bool {
            reader != nil && !directions.contains(.readable)
                || writer != nil && !directions.contains(.writable)
        }

        /// The watchers of the other directions than `directions`.
        func watchers(besides directions: ReadySet) -> [Watcher] {
            let reader = directions.contains(.readable) ? nil : reader
            let writer = directions.contains(.writable) ? nil : writer
            return [reader, writer].compactMap { $0 }
        }

        /// What the kernel has to be asked for.
        ///
        /// No RDHUP for a writer: a peer that has shut down its side stays so, and would wake us until we can
        /// write. No PRI: urgent data is reported while a read would block.
        var wantedMask: UInt32 {
            var mask: UInt32 = 0
            if reader != nil { mask |= EPOLLIN.rawValue | EPOLLRDHUP.rawValue }
            if writer != nil { mask |= EPOLLOUT.rawValue }
            if !hasCallback { mask |= EPOLLONESHOT.rawValue }
            return mask
        }
        var hasCallback: Bool {
            if case .callback? = reader { return true }
            if case .callback? = writer { return true }
            return false
        }
    }

    private var entries: [Entry] = []

    nonisolated init() {}

    /// Whether the table has a place for a number.
    func hasSeen(_ fd: Int32) -> Bool { entries.indices.contains(Int(fd)) }

    /// The entry of a number; an untouched one for a number not seen yet.
    subscript(fd: Int32) -> Entry {
        get { hasSeen(fd) ? entries[Int(fd)] : Entry() }
        set {
            if Int(fd) >= entries.count {
                entries.append(contentsOf: repeatElement(Entry(), count: Int(fd) + 1 - entries.count))
            }
            entries[Int(fd)] = newValue
        }
    }

    /// Numbers with a watcher that may go, for leak checks and dumps.
    var watched: [Int32] { numbers { $0.reader?.isPermanent == false || $0.writer?.isPermanent == false } }

    /// The numbers whose entries are so, in ascending order.
    func numbers(where predicate: (Entry) -> Bool) -> [Int32] {
        entries.indices.filter { predicate(entries[$0]) }.map { Int32($0) }
    }
}
