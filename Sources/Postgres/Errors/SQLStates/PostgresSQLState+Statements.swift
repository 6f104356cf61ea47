// Condition names of PostgreSQL's Appendix A, by class.

extension PostgresSQLState {
    // MARK: Class 26: Invalid SQL Statement Name

    /// `26000`: no such prepared statement.
    public static let invalidSQLStatementName = Self(rawValue: "26000")

    // MARK: Class 27: Triggered Data Change Violation

    /// `27000`
    public static let triggeredDataChangeViolation = Self(rawValue: "27000")

    // MARK: Class 28: Invalid Authorization Specification

    /// `28000`
    public static let invalidAuthorizationSpecification = Self(rawValue: "28000")
    /// `28P01`
    public static let invalidPassword = Self(rawValue: "28P01")

    // MARK: Class 2B: Dependent Privilege Descriptors Still Exist

    /// `2B000`
    public static let dependentPrivilegeDescriptorsStillExist = Self(rawValue: "2B000")
    /// `2BP01`
    public static let dependentObjectsStillExist = Self(rawValue: "2BP01")

    // MARK: Class 2D: Invalid Transaction Termination

    /// `2D000`
    public static let invalidTransactionTermination = Self(rawValue: "2D000")

    // MARK: Class 2F: SQL Routine Exception

    /// `2F000`
    public static let sqlRoutineException = Self(rawValue: "2F000")
    /// `2F005`
    public static let functionExecutedNoReturnStatement = Self(rawValue: "2F005")
    /// `2F002`
    public static let sqlRoutineModifyingSQLDataNotPermitted = Self(rawValue: "2F002")
    /// `2F003`
    public static let sqlRoutineProhibitedSQLStatementAttempted = Self(rawValue: "2F003")
    /// `2F004`
    public static let sqlRoutineReadingSQLDataNotPermitted = Self(rawValue: "2F004")

    // MARK: Class 34: Invalid Cursor Name

    /// `34000`
    public static let invalidCursorName = Self(rawValue: "34000")

    // MARK: Class 38: External Routine Exception

    /// `38000`
    public static let externalRoutineException = Self(rawValue: "38000")
    /// `38001`
    public static let containingSQLNotPermitted = Self(rawValue: "38001")
    /// `38002`
    public static let externalRoutineModifyingSQLDataNotPermitted = Self(rawValue: "38002")
    /// `38003`
    public static let externalRoutineProhibitedSQLStatementAttempted = Self(rawValue: "38003")
    /// `38004`
    public static let externalRoutineReadingSQLDataNotPermitted = Self(rawValue: "38004")

    // MARK: Class 39: External Routine Invocation Exception

    /// `39000`
    public static let externalRoutineInvocationException = Self(rawValue: "39000")
    /// `39001`
    public static let invalidSqlstateReturned = Self(rawValue: "39001")
    /// `39004`
    public static let externalRoutineInvocationNullValueNotAllowed = Self(rawValue: "39004")
    /// `39P01`
    public static let triggerProtocolViolated = Self(rawValue: "39P01")
    /// `39P02`
    public static let srfProtocolViolated = Self(rawValue: "39P02")
    /// `39P03`
    public static let eventTriggerProtocolViolated = Self(rawValue: "39P03")

    // MARK: Class 3B: Savepoint Exception

    /// `3B000`
    public static let savepointException = Self(rawValue: "3B000")
    /// `3B001`
    public static let invalidSavepointSpecification = Self(rawValue: "3B001")

    // MARK: Class 3D: Invalid Catalog Name

    /// `3D000`: no such database.
    public static let invalidCatalogName = Self(rawValue: "3D000")

    // MARK: Class 3F: Invalid Schema Name

    /// `3F000`
    public static let invalidSchemaName = Self(rawValue: "3F000")

    // MARK: Class 40: Transaction Rollback

    /// `40000`
    public static let transactionRollback = Self(rawValue: "40000")
    /// `40002`
    public static let transactionIntegrityConstraintViolation = Self(rawValue: "40002")
    /// `40001`: run the whole transaction again.
    public static let serializationFailure = Self(rawValue: "40001")
    /// `40003`
    public static let statementCompletionUnknown = Self(rawValue: "40003")
    /// `40P01`: this transaction was chosen to break a deadlock; run it again.
    public static let deadlockDetected = Self(rawValue: "40P01")

    // MARK: Class 42: Syntax Error or Access Rule Violation

    /// `42000`
    public static let syntaxErrorOrAccessRuleViolation = Self(rawValue: "42000")
    /// `42601`
    public static let syntaxError = Self(rawValue: "42601")
    /// `42501`: a right is missing.
    public static let insufficientPrivilege = Self(rawValue: "42501")
    /// `42846`
    public static let cannotCoerce = Self(rawValue: "42846")
    /// `42803`
    public static let groupingError = Self(rawValue: "42803")
    /// `42P20`
    public static let windowingError = Self(rawValue: "42P20")
    /// `42P19`
    public static let invalidRecursion = Self(rawValue: "42P19")
    /// `42830`
    public static let invalidForeignKey = Self(rawValue: "42830")
    /// `42602`
    public static let invalidName = Self(rawValue: "42602")
    /// `42622`
    public static let nameTooLong = Self(rawValue: "42622")
    /// `42939`
    public static let reservedName = Self(rawValue: "42939")
    /// `42804`
    public static let datatypeMismatch = Self(rawValue: "42804")
    /// `42P18`
    public static let indeterminateDatatype = Self(rawValue: "42P18")
    /// `42P21`
    public static let collationMismatch = Self(rawValue: "42P21")
    /// `42P22`
    public static let indeterminateCollation = Self(rawValue: "42P22")
    /// `42809`
    public static let wrongObjectType = Self(rawValue: "42809")
    /// `428C9`
    public static let generatedAlways = Self(rawValue: "428C9")
    /// `42703`
    public static let undefinedColumn = Self(rawValue: "42703")
    /// `42883`
    public static let undefinedFunction = Self(rawValue: "42883")
    /// `42P01`
    public static let undefinedTable = Self(rawValue: "42P01")
    /// `42P02`
    public static let undefinedParameter = Self(rawValue: "42P02")
    /// `42704`
    public static let undefinedObject = Self(rawValue: "42704")
    /// `42701`
    public static let duplicateColumn = Self(rawValue: "42701")
    /// `42P03`
    public static let duplicateCursor = Self(rawValue: "42P03")
    /// `42P04`
    public static let duplicateDatabase = Self(rawValue: "42P04")
    /// `42723`
    public static let duplicateFunction = Self(rawValue: "42723")
    /// `42P05`
    public static let duplicatePreparedStatement = Self(rawValue: "42P05")
    /// `42P06`
    public static let duplicateSchema = Self(rawValue: "42P06")
    /// `42P07`
    public static let duplicateTable = Self(rawValue: "42P07")
    /// `42712`
    public static let duplicateAlias = Self(rawValue: "42712")
    /// `42710`
    public static let duplicateObject = Self(rawValue: "42710")
    /// `42702`
    public static let ambiguousColumn = Self(rawValue: "42702")
    /// `42725`
    public static let ambiguousFunction = Self(rawValue: "42725")
    /// `42P08`
    public static let ambiguousParameter = Self(rawValue: "42P08")
    /// `42P09`
    public static let ambiguousAlias = Self(rawValue: "42P09")
    /// `42P10`
    public static let invalidColumnReference = Self(rawValue: "42P10")
    /// `42611`
    public static let invalidColumnDefinition = Self(rawValue: "42611")
    /// `42P11`
    public static let invalidCursorDefinition = Self(rawValue: "42P11")
    /// `42P12`
    public static let invalidDatabaseDefinition = Self(rawValue: "42P12")
    /// `42P13`
    public static let invalidFunctionDefinition = Self(rawValue: "42P13")
    /// `42P14`
    public static let invalidPreparedStatementDefinition = Self(rawValue: "42P14")
    /// `42P15`
    public static let invalidSchemaDefinition = Self(rawValue: "42P15")
    /// `42P16`
    public static let invalidTableDefinition = Self(rawValue: "42P16")
    /// `42P17`
    public static let invalidObjectDefinition = Self(rawValue: "42P17")

    // MARK: Class 44: WITH CHECK OPTION Violation

    /// `44000`
    public static let withCheckOptionViolation = Self(rawValue: "44000")
}
