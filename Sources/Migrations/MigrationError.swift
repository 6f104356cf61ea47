/// Why migrations could not be read, planned or run.
///
/// A failed statement is a `MigrationFailure`, found in `failure`; its report names file, line and column.
public struct MigrationError: Error, Sendable, CustomStringConvertible {
    /// The kind of error; new kinds may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind.
        public let description: String
        /// The status with which the `migrate` program ends.
        public let exitStatus: Int32

        /// A kind of error of this library or of a program built on it.
        public init(_ description: String, exitStatus: Int32) {
            self.description = description
            self.exitStatus = exitStatus
        }

        /// The request makes no sense: an unknown version, a name without letters, no such directory.
        public static let usage = Code("usage", exitStatus: 2)
        /// No connection to the server, or it was lost before anything ran.
        public static let cannotConnect = Code("cannotConnect", exitStatus: 3)
        /// Another runner held the lock for longer than the lock timeout.
        public static let lockTimeout = Code("lockTimeout", exitStatus: 4)
        /// A statement failed and its whole file was rolled back.
        public static let rolledBack = Code("rolledBack", exitStatus: 5)
        /// A statement of a `transaction:false` file failed; the statements before it stay.
        public static let partlyApplied = Code("partlyApplied", exitStatus: 6)
        /// A file cannot be parsed, or its name is wrong, or two files have one version.
        public static let invalidFile = Code("invalidFile", exitStatus: 7)
        /// A file that has been applied was changed afterwards.
        public static let drift = Code("drift", exitStatus: 7)
        /// An applied migration has no file, so it cannot be reverted.
        public static let missingFile = Code("missingFile", exitStatus: 7)
        /// A migration has no `-- migrate:down` section, so it cannot be reverted.
        public static let irreversible = Code("irreversible", exitStatus: 7)
        /// A pending migration is older than an applied one, and strict order was asked for.
        public static let outOfOrder = Code("outOfOrder", exitStatus: 7)
        /// Reading or writing the files, the history table or the lock failed.
        public static let unexpected = Code("unexpected", exitStatus: 1)
    }

    /// The kind of error.
    public let code: Code
    /// What happened and what to do next.
    public let message: String
    /// The statement that failed, for `.rolledBack` and `.partlyApplied`.
    public let failure: MigrationFailure?
    /// The error this one stems from.
    public let underlying: (any Error)?

    /// An error of the given kind.
    public init(
        _ code: Code, _ message: String, failure: MigrationFailure? = nil, underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.failure = failure
        self.underlying = underlying
    }

    /// The message; no bound value, no password, no DETAIL of the server.
    public var description: String { message }
}
