import CLinux

/// Something that happened to a file or a directory that is watched.
public struct FileChange: Hashable, Sendable, CustomStringConvertible {
    /// What happened. Extensible: keep a default case.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        private enum Name: String {
            case created, modified, closedAfterWriting, attributes, moved, movedIn, movedOut, deleted
            case overflow, unmounted, ended
        }

        private let name: Name

        /// An entry of a watched directory was made.
        public static let created = Kind(name: .created)
        /// A file was written to or cut. Several in a row may be reported as one.
        public static let modified = Kind(name: .modified)
        /// A file that had been open for writing was closed: what was written is there.
        public static let closedAfterWriting = Kind(name: .closedAfterWriting)
        /// Permissions, owner, times or the count of links changed.
        public static let attributes = Kind(name: .attributes)
        /// An entry has another name, or is in another of the watched directories; `previousPath` is the old one.
        public static let moved = Kind(name: .moved)
        /// An entry came from where nothing is watched.
        public static let movedIn = Kind(name: .movedIn)
        /// An entry went where nothing is watched; or what is watched itself was renamed, and goes on being watched.
        public static let movedOut = Kind(name: .movedOut)
        /// An entry was removed, or what is watched itself. A file that somebody has open, or that has another link,
        /// is not gone yet: to its own watch that is a change of `attributes`.
        public static let deleted = Kind(name: .deleted)
        /// More happened than the kernel keeps (fs.inotify.max_queued_events): some of it is lost. Look for yourself.
        public static let overflow = Kind(name: .overflow)
        /// The file system of what is watched is gone; `ended` follows.
        public static let unmounted = Kind(name: .unmounted)
        /// What was watched exists no more, and nothing will be heard of it.
        public static let ended = Kind(name: .ended)

        /// Every kind that can be chosen; `overflow`, `unmounted` and `ended` are always reported.
        public static let all: Set<Kind> = [
            .created, .modified, .closedAfterWriting, .attributes, .moved, .movedIn, .movedOut, .deleted,
        ]

        /// The kind's name, such as `created`.
        public var description: String { name.rawValue }

        /// The events of inotify(7) it is made from.
        var mask: UInt32 {
            switch name {
            case .created: UInt32(IN_CREATE)
            case .modified: UInt32(IN_MODIFY)
            case .closedAfterWriting: UInt32(IN_CLOSE_WRITE)
            case .attributes: UInt32(IN_ATTRIB)
            case .moved, .movedIn: UInt32(IN_MOVED_FROM | IN_MOVED_TO)
            case .movedOut: UInt32(IN_MOVED_FROM | IN_MOVED_TO | IN_MOVE_SELF)
            case .deleted: UInt32(IN_DELETE | IN_DELETE_SELF)
            case .overflow, .unmounted, .ended: 0
            }
        }
    }

    /// What happened.
    public let kind: Kind
    /// To what: the path that was given to the watcher, and the entry's below it. Empty for `overflow`.
    public let path: String
    /// Of a move: the path before it.
    public let previousPath: String?
    /// Whether it is a directory.
    public let isDirectory: Bool

    init(_ kind: Kind, _ path: String, from previousPath: String? = nil, isDirectory: Bool = false) {
        self.kind = kind
        self.path = path
        self.previousPath = previousPath
        self.isDirectory = isDirectory
    }

    /// `created /var/spool/in/7`, or `moved /var/spool/7 from /var/spool/in/7`.
    public var description: String {
        "\(kind) \(path)\(previousPath.map { " from \($0)" } ?? "")"
    }
}
