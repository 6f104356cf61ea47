extension Reactor {
    /// Who does file operations, so that the loop need not wait for them.
    ///
    /// Engines differ in speed, not in results. Extensible: keep a default case.
    public struct FileEngine: Hashable, Sendable, CustomStringConvertible {
        private enum Name: String {
            case automatic, threads
            case ioUring = "io_uring"
        }

        private let name: Name

        /// What `ReactorConfiguration.fileEngine` names, which the environment's `REACTOR_FILES` sets (`threads` or `io_uring`),
        /// else io_uring where the kernel allows it and the thread pool elsewhere.
        public static let automatic = FileEngine(name: .automatic)
        /// The reactor's thread pool: as many at once as it has threads.
        public static let threads = FileEngine(name: .threads)
        /// io_uring(7), Linux 5.13 or newer, whatever the loop itself waits in. What the kernel cannot do by it goes to
        /// the thread pool.
        public static let ioUring = FileEngine(name: .ioUring)

        /// The engine's name, as `REACTOR_FILES` has it.
        public var description: String { name.rawValue }

        private init(name: Name) { self.name = name }

        /// The engine of that name, as `REACTOR_FILES` has it; nil for a name that none has.
        init?(named text: String) {
            guard let name = Name(rawValue: text) else { return nil }
            self.name = name
        }
    }

    /// Who does file operations here: `.threads` or `.ioUring`, never `.automatic`. Reactor only; never waits.
    ///
    /// Nobody has asked before the first operation, or the first look at this: then it is `.automatic`'s choice.
    @ReactorActor public var fileEngine: FileEngine { fileRing == nil ? .threads : .ioUring }

    /// Chooses who does the file operations that follow. Those under way end where they are. Reactor only; never waits.
    ///
    /// - Throws: `ReactorError` with code `backendUnavailable` when io_uring is asked for by name and the kernel
    ///   refuses it; nothing has changed then.
    @ReactorActor public func useFileEngine(_ engine: FileEngine) throws(ReactorError) {
        if engine == .ioUring, files.ring == nil { files.ring = try FileRing(on: self) }
        files.engine = engine == .automatic ? nil : engine
    }

    /// The ring to use, made when it is due; nil when threads are to do it.
    @ReactorActor var fileRing: FileRing? {
        let engine = files.engine ?? configuration.fileEngine
        files.engine = engine
        guard engine != .threads else { return nil }
        if files.ring == nil, !files.isRingRefused {
            files.ring = try? FileRing(on: self)
            files.isRingRefused = files.ring == nil
        }
        return files.ring
    }
}
