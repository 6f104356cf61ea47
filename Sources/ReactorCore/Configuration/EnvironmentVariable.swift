extension ReactorConfiguration {
    /// A variable of the environment: what `variables` lists.
    public struct Variable: Hashable, Sendable, CustomStringConvertible {
        /// Its name.
        public let name: String
        /// What it may be set to, in words.
        public let values: String
        /// What holds when it is not set.
        public let standard: String
        /// What it is about.
        public let purpose: String

        /// One line for a help text.
        public var description: String { "\(name): \(purpose); \(values) (\(standard))" }
    }

    /// Every variable that is read, in the order of their names: for help texts.
    public static var variables: [Variable] { EnvironmentVariable.all.map(\.description) }
}

/// A variable and how its text is understood.
struct EnvironmentVariable: Sendable {
    let description: ReactorConfiguration.Variable
    /// Sets what the text says; false when it makes no sense.
    let apply: @Sendable (String, inout ReactorConfiguration) -> Bool

    private init(
        _ name: String, _ purpose: String, values: String, standard: String,
        _ apply: @escaping @Sendable (String, inout ReactorConfiguration) -> Bool
    ) {
        description = .init(name: name, values: values, standard: standard, purpose: purpose)
        self.apply = apply
    }

    static let all: [EnvironmentVariable] = [
        .init(
            "REACTOR_ACCOUNTING", "whether the loop counts what each task uses of it", values: "1 or 0",
            standard: "0"
        ) { text, configuration in set(&configuration.isAccounting, to: flag(text)) },
        .init(
            "REACTOR_BACKEND", "what loops wait in", values: "epoll, io_uring or automatic",
            standard: "automatic, which is epoll"
        ) { text, configuration in set(&configuration.backend, to: Reactor.Backend(named: text)) },
        .init(
            "REACTOR_DUMP_SIGNAL", "the signal that writes what everybody waits for",
            values: "USR1, USR2, QUIT, HUP or a number", standard: "no signal"
        ) { text, configuration in
            set(&configuration.dumpSignal, to: signalNumber(text).map { .some($0) })
        },
        .init(
            "REACTOR_FILES", "who does file operations", values: "threads, io_uring or automatic",
            standard: "automatic, which is io_uring where the kernel allows it"
        ) { text, configuration in set(&configuration.fileEngine, to: Reactor.FileEngine(named: text)) },
        .init(
            "REACTOR_MAX_BLOCKING", "how long one step may keep the loop before that is reported",
            values: "seconds (0.25) or a time (100ms), 1ms at least, or off",
            standard: ReactorConfiguration.standardMaxBlockingTime.map(\.humanReadable) ?? "off"
        ) { text, configuration in set(&configuration.maxBlockingTime, to: maxBlocking(text)) },
        .init(
            "REACTOR_RESOLVER", "who looks names up",
            values: ResolverKind.all.map(\.description).joined(separator: ", "), standard: "threaded"
        ) { text, configuration in set(&configuration.resolver, to: ResolverKind(text)) },
        .init(
            "REACTOR_SHIMS", "which areas of blocking calls park",
            values: "all, none, or areas with commas between them, - before one to take it away",
            standard: "all"
        ) { text, configuration in
            // Its words are known, and reported, where the areas are.
            configuration.shims = text
            return true
        },
        .init(
            "REACTOR_STACK_SIZE", "bytes of stack for a greenlet with a synchronous body",
            values: "a number of bytes, \(ReactorConfiguration.smallestStack) at least", standard: "262144"
        ) { text, configuration in
            set(
                &configuration.stackSize,
                to: Int(text).flatMap { $0 >= ReactorConfiguration.smallestStack ? $0 : nil })
        },
        .init(
            "REACTOR_TESTING_PATIENCE", "what the test helpers multiply time limits by",
            values: "a whole number, 1 at least", standard: "1"
        ) { text, configuration in
            set(&configuration.testingPatience, to: Int(text).flatMap { $0 >= 1 ? $0 : nil })
        },
        .init(
            "REACTOR_TRACK_GREENLET_TREE", "whether greenlets know who spawned them", values: "1 or 0",
            standard: "1"
        ) { text, configuration in set(&configuration.tracksGreenletTree, to: flag(text)) },
    ]

    private static func set<Value>(_ place: inout Value, to value: Value?) -> Bool {
        guard let value else { return false }
        place = value
        return true
    }

    private static func flag(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "1", "yes", "on", "true": true
        case "0", "no", "off", "false": false
        default: nil
        }
    }

    /// Nil for no sense, an inner nil for no watch.
    private static func maxBlocking(_ text: String) -> Duration?? {
        if ["off", "no", "none", "false"].contains(text.lowercased()) { return .some(nil) }
        guard let duration = Duration(humanReadable: text) else { return nil }
        if duration == .zero { return .some(nil) }
        return duration >= .milliseconds(1) ? .some(duration) : nil
    }
}
