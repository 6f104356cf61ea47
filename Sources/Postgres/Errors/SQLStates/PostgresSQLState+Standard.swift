// Condition names of PostgreSQL's Appendix A, by class.

extension PostgresSQLState {
    // MARK: Class 00: Successful Completion

    /// `00000`
    public static let successfulCompletion = Self(rawValue: "00000")

    // MARK: Class 01: Warning

    /// `01000`
    public static let warning = Self(rawValue: "01000")
    /// `0100C`
    public static let dynamicResultSetsReturned = Self(rawValue: "0100C")
    /// `01008`
    public static let implicitZeroBitPadding = Self(rawValue: "01008")
    /// `01003`
    public static let nullValueEliminatedInSetFunction = Self(rawValue: "01003")
    /// `01007`
    public static let privilegeNotGranted = Self(rawValue: "01007")
    /// `01006`
    public static let privilegeNotRevoked = Self(rawValue: "01006")
    /// `01004`
    public static let warningStringDataRightTruncation = Self(rawValue: "01004")
    /// `01P01`
    public static let deprecatedFeature = Self(rawValue: "01P01")

    // MARK: Class 02: No Data

    /// `02000`
    public static let noData = Self(rawValue: "02000")
    /// `02001`
    public static let noAdditionalDynamicResultSetsReturned = Self(rawValue: "02001")

    // MARK: Class 03: SQL Statement Not Yet Complete

    /// `03000`
    public static let sqlStatementNotYetComplete = Self(rawValue: "03000")

    // MARK: Class 08: Connection Exception

    /// `08000`
    public static let connectionException = Self(rawValue: "08000")
    /// `08003`
    public static let connectionDoesNotExist = Self(rawValue: "08003")
    /// `08006`
    public static let connectionFailure = Self(rawValue: "08006")
    /// `08001`
    public static let sqlclientUnableToEstablishSqlconnection = Self(rawValue: "08001")
    /// `08004`
    public static let sqlserverRejectedEstablishmentOfSqlconnection = Self(rawValue: "08004")
    /// `08007`
    public static let transactionResolutionUnknown = Self(rawValue: "08007")
    /// `08P01`
    public static let protocolViolation = Self(rawValue: "08P01")

    // MARK: Class 09: Triggered Action Exception

    /// `09000`
    public static let triggeredActionException = Self(rawValue: "09000")

    // MARK: Class 0A: Feature Not Supported

    /// `0A000`: also raised when a prepared statement's result type has changed.
    public static let featureNotSupported = Self(rawValue: "0A000")

    // MARK: Class 0B: Invalid Transaction Initiation

    /// `0B000`
    public static let invalidTransactionInitiation = Self(rawValue: "0B000")

    // MARK: Class 0F: Locator Exception

    /// `0F000`
    public static let locatorException = Self(rawValue: "0F000")
    /// `0F001`
    public static let invalidLocatorSpecification = Self(rawValue: "0F001")

    // MARK: Class 0L: Invalid Grantor

    /// `0L000`
    public static let invalidGrantor = Self(rawValue: "0L000")
    /// `0LP01`
    public static let invalidGrantOperation = Self(rawValue: "0LP01")

    // MARK: Class 0P: Invalid Role Specification

    /// `0P000`
    public static let invalidRoleSpecification = Self(rawValue: "0P000")

    // MARK: Class 0Z: Diagnostics Exception

    /// `0Z000`
    public static let diagnosticsException = Self(rawValue: "0Z000")
    /// `0Z002`
    public static let stackedDiagnosticsAccessedWithoutActiveHandler = Self(rawValue: "0Z002")

    // MARK: Class 20: Case Not Found

    /// `20000`
    public static let caseNotFound = Self(rawValue: "20000")

    // MARK: Class 21: Cardinality Violation

    /// `21000`
    public static let cardinalityViolation = Self(rawValue: "21000")

    // MARK: Class 23: Integrity Constraint Violation

    /// `23000`
    public static let integrityConstraintViolation = Self(rawValue: "23000")
    /// `23001`
    public static let restrictViolation = Self(rawValue: "23001")
    /// `23502`
    public static let notNullViolation = Self(rawValue: "23502")
    /// `23503`
    public static let foreignKeyViolation = Self(rawValue: "23503")
    /// `23505`
    public static let uniqueViolation = Self(rawValue: "23505")
    /// `23514`
    public static let checkViolation = Self(rawValue: "23514")
    /// `23P01`
    public static let exclusionViolation = Self(rawValue: "23P01")

    // MARK: Class 24: Invalid Cursor State

    /// `24000`
    public static let invalidCursorState = Self(rawValue: "24000")

    // MARK: Class 25: Invalid Transaction State

    /// `25000`
    public static let invalidTransactionState = Self(rawValue: "25000")
    /// `25001`: the statement cannot run inside a transaction.
    public static let activeSQLTransaction = Self(rawValue: "25001")
    /// `25002`
    public static let branchTransactionAlreadyActive = Self(rawValue: "25002")
    /// `25008`
    public static let heldCursorRequiresSameIsolationLevel = Self(rawValue: "25008")
    /// `25003`
    public static let inappropriateAccessModeForBranchTransaction = Self(rawValue: "25003")
    /// `25004`
    public static let inappropriateIsolationLevelForBranchTransaction = Self(rawValue: "25004")
    /// `25005`
    public static let noActiveSQLTransactionForBranchTransaction = Self(rawValue: "25005")
    /// `25006`: a write in a read-only transaction, or on a standby.
    public static let readOnlySQLTransaction = Self(rawValue: "25006")
    /// `25007`
    public static let schemaAndDataStatementMixingNotSupported = Self(rawValue: "25007")
    /// `25P01`
    public static let noActiveSQLTransaction = Self(rawValue: "25P01")
    /// `25P02`: an earlier error has failed the transaction.
    public static let inFailedSQLTransaction = Self(rawValue: "25P02")
    /// `25P03`: this transaction was idle for too long.
    public static let idleInTransactionSessionTimeout = Self(rawValue: "25P03")
}
