import CBlockingShims
import Glibc
import ReactorCore

extension BlockingShims {
    /// Parts of libc whose shims are switched together.
    public struct Area: OptionSet, Hashable, Sendable {
        /// A bit for each area.
        public let rawValue: UInt32

        /// The areas of a set of bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// `sleep` and its relatives.
        public static let timer = Area(CBS_AREA_timer)
        /// `poll`, `select`, `epoll_wait`.
        public static let poll = Area(CBS_AREA_poll)
        /// `connect`, `accept`, `recv`, `send` and their relatives.
        public static let socket = Area(CBS_AREA_socket)
        /// `read`, `write`, `close`: descriptors of any kind. While it is off, `close` wakes nobody.
        public static let io = Area(CBS_AREA_io)
        /// `getaddrinfo` and the other name lookups.
        public static let name = Area(CBS_AREA_name)
        /// Mutexes, conditions, semaphores, `pthread_join`.
        public static let thread = Area(CBS_AREA_thread)
        /// `waitpid`, `system` and their relatives.
        public static let process = Area(CBS_AREA_process)
        /// File locks.
        public static let lock = Area(CBS_AREA_lock)
        /// `fread`, `fgets`, `printf` and their relatives.
        public static let stdio = Area(CBS_AREA_stdio)
        /// Regular files.
        public static let file = Area(CBS_AREA_file)
        /// Every area.
        public static let all = Area(rawValue: (1 << CBS_AREA_COUNT.rawValue) - 1)

        private init(_ area: cbs_area) { rawValue = 1 << area.rawValue }

        /// The single areas by name, as `Function.area` and `REACTOR_SHIMS` have it.
        static let names: [(name: String, area: Area)] = [
            ("timer", .timer), ("poll", .poll), ("socket", .socket), ("io", .io), ("name", .name),
            ("thread", .thread), ("process", .process), ("lock", .lock), ("stdio", .stdio), ("file", .file),
        ]

        /// The areas that a text like `all,-thread` names, and the words in it that name none.
        ///
        /// Words stand between commas or blanks and are applied from left to right: `all`, `none`, an area, or `-` and an
        /// area. A text that begins with such a removal removes from all.
        static func parse(_ text: String) -> (areas: Area, unknown: [String]) {
            let words = text.split { $0 == "," || $0 == " " }.map(String.init)
            var areas: Area = words.first.map { $0.hasPrefix("-") } ?? true ? .all : []
            var unknown: [String] = []
            for word in words {
                let isRemoval = word.hasPrefix("-")
                switch isRemoval ? String(word.dropFirst()) : word {
                case "all" where !isRemoval: areas = .all
                case "none" where !isRemoval: areas = []
                case let name:
                    guard let area = names.first(where: { $0.name == name })?.area else {
                        unknown.append(word)
                        continue
                    }
                    if isRemoval { areas.subtract(area) } else { areas.formUnion(area) }
                }
            }
            return (areas, unknown)
        }
    }

    /// The areas whose shims park; the others are libc's own in greenlets, too. Any thread.
    ///
    /// At first what `ReactorConfiguration.shims` or the environment variable `REACTOR_SHIMS` says, and all areas without it: names between commas, applied from left
    /// to right, `all`, `none`, and `-` before a name to take it away: `REACTOR_SHIMS=socket,poll,io`, `REACTOR_SHIMS=-thread`.
    /// A word that names no area is reported on standard error, once, and ignored.
    ///
    /// A change holds from the next call of each function on; what waits already goes on waiting as it began.
    public static var active: Area {
        get { Area(rawValue: cbs_active_areas()) }
        set { cbs_set_active_areas(newValue.rawValue) }
    }

    /// Whether every one of `areas` is switched on. Any thread.
    public static func isActive(_ areas: Area) -> Bool { active.isSuperset(of: areas) }

    /// Reads the environment. Called as the hooks are made, by the first shim on a fiber or the first use of `active`.
    static func readEnvironment() {
        guard let text = ReactorConfiguration.currentShims else { return }
        let (areas, unknown) = Area.parse(text)
        cbs_start_areas(areas.rawValue)
        guard !unknown.isEmpty else { return }
        let known = Area.names.map(\.name).joined(separator: ", ")
        let words = unknown.map { "\"\($0)\"" }.joined(separator: ", ")
        let message =
            "REACTOR_SHIMS=\(text): \(words) is no area of blocking calls and is ignored; known are all, none, \(known)\n"
        _ = message.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
}

extension BlockingShims.Area: CustomStringConvertible {
    /// The names, with commas between them, as `REACTOR_SHIMS` has them; `none` without any.
    public var description: String {
        if isEmpty { return "none" }
        if self == .all { return "all" }
        return Self.names.filter { contains($0.area) }.map(\.name).joined(separator: ",")
    }
}
