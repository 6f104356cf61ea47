// Condition names of PostgreSQL's Appendix A, by class.

extension PostgresSQLState {
    // MARK: Class 53: Insufficient Resources

    /// `53000`
    public static let insufficientResources = Self(rawValue: "53000")
    /// `53100`
    public static let diskFull = Self(rawValue: "53100")
    /// `53200`
    public static let outOfMemory = Self(rawValue: "53200")
    /// `53300`: `max_connections`, or the limit of the role or database, is reached.
    public static let tooManyConnections = Self(rawValue: "53300")
    /// `53400`
    public static let configurationLimitExceeded = Self(rawValue: "53400")

    // MARK: Class 54: Program Limit Exceeded

    /// `54000`
    public static let programLimitExceeded = Self(rawValue: "54000")
    /// `54001`
    public static let statementTooComplex = Self(rawValue: "54001")
    /// `54011`
    public static let tooManyColumns = Self(rawValue: "54011")
    /// `54023`
    public static let tooManyArguments = Self(rawValue: "54023")

    // MARK: Class 55: Object Not In Prerequisite State

    /// `55000`
    public static let objectNotInPrerequisiteState = Self(rawValue: "55000")
    /// `55006`
    public static let objectInUse = Self(rawValue: "55006")
    /// `55P02`
    public static let cantChangeRuntimeParam = Self(rawValue: "55P02")
    /// `55P03`: a lock was not to be had at once or within `lock_timeout`.
    public static let lockNotAvailable = Self(rawValue: "55P03")
    /// `55P04`
    public static let unsafeNewEnumValueUsage = Self(rawValue: "55P04")

    // MARK: Class 57: Operator Intervention

    /// `57000`
    public static let operatorIntervention = Self(rawValue: "57000")
    /// `57014`: the statement was cancelled, by us, by an administrator or by `statement_timeout`.
    public static let queryCanceled = Self(rawValue: "57014")
    /// `57P01`: an administrator ended the session, or the server stops.
    public static let adminShutdown = Self(rawValue: "57P01")
    /// `57P02`: another backend crashed.
    public static let crashShutdown = Self(rawValue: "57P02")
    /// `57P03`: the server is starting, stopping or recovering.
    public static let cannotConnectNow = Self(rawValue: "57P03")
    /// `57P04`: the database has been dropped.
    public static let databaseDropped = Self(rawValue: "57P04")
    /// `57P05`: this session was idle for too long.
    public static let idleSessionTimeout = Self(rawValue: "57P05")

    // MARK: Class 58: System Error

    /// `58000`
    public static let systemError = Self(rawValue: "58000")
    /// `58030`
    public static let ioError = Self(rawValue: "58030")
    /// `58P01`
    public static let undefinedFile = Self(rawValue: "58P01")
    /// `58P02`
    public static let duplicateFile = Self(rawValue: "58P02")

    // MARK: Class 72: Snapshot Failure

    /// `72000`
    public static let snapshotTooOld = Self(rawValue: "72000")

    // MARK: Class F0: Configuration File Error

    /// `F0000`
    public static let configFileError = Self(rawValue: "F0000")
    /// `F0001`
    public static let lockFileExists = Self(rawValue: "F0001")

    // MARK: Class HV: Foreign Data Wrapper Error

    /// `HV000`
    public static let fdwError = Self(rawValue: "HV000")
    /// `HV005`
    public static let fdwColumnNameNotFound = Self(rawValue: "HV005")
    /// `HV002`
    public static let fdwDynamicParameterValueNeeded = Self(rawValue: "HV002")
    /// `HV010`
    public static let fdwFunctionSequenceError = Self(rawValue: "HV010")
    /// `HV021`
    public static let fdwInconsistentDescriptorInformation = Self(rawValue: "HV021")
    /// `HV024`
    public static let fdwInvalidAttributeValue = Self(rawValue: "HV024")
    /// `HV007`
    public static let fdwInvalidColumnName = Self(rawValue: "HV007")
    /// `HV008`
    public static let fdwInvalidColumnNumber = Self(rawValue: "HV008")
    /// `HV004`
    public static let fdwInvalidDataType = Self(rawValue: "HV004")
    /// `HV006`
    public static let fdwInvalidDataTypeDescriptors = Self(rawValue: "HV006")
    /// `HV091`
    public static let fdwInvalidDescriptorFieldIdentifier = Self(rawValue: "HV091")
    /// `HV00B`
    public static let fdwInvalidHandle = Self(rawValue: "HV00B")
    /// `HV00C`
    public static let fdwInvalidOptionIndex = Self(rawValue: "HV00C")
    /// `HV00D`
    public static let fdwInvalidOptionName = Self(rawValue: "HV00D")
    /// `HV090`
    public static let fdwInvalidStringLengthOrBufferLength = Self(rawValue: "HV090")
    /// `HV00A`
    public static let fdwInvalidStringFormat = Self(rawValue: "HV00A")
    /// `HV009`
    public static let fdwInvalidUseOfNullPointer = Self(rawValue: "HV009")
    /// `HV014`
    public static let fdwTooManyHandles = Self(rawValue: "HV014")
    /// `HV001`
    public static let fdwOutOfMemory = Self(rawValue: "HV001")
    /// `HV00P`
    public static let fdwNoSchemas = Self(rawValue: "HV00P")
    /// `HV00J`
    public static let fdwOptionNameNotFound = Self(rawValue: "HV00J")
    /// `HV00K`
    public static let fdwReplyHandle = Self(rawValue: "HV00K")
    /// `HV00Q`
    public static let fdwSchemaNotFound = Self(rawValue: "HV00Q")
    /// `HV00R`
    public static let fdwTableNotFound = Self(rawValue: "HV00R")
    /// `HV00L`
    public static let fdwUnableToCreateExecution = Self(rawValue: "HV00L")
    /// `HV00M`
    public static let fdwUnableToCreateReply = Self(rawValue: "HV00M")
    /// `HV00N`
    public static let fdwUnableToEstablishConnection = Self(rawValue: "HV00N")

    // MARK: Class P0: PL/pgSQL Error

    /// `P0000`
    public static let plpgsqlError = Self(rawValue: "P0000")
    /// `P0001`
    public static let raiseException = Self(rawValue: "P0001")
    /// `P0002`
    public static let noDataFound = Self(rawValue: "P0002")
    /// `P0003`
    public static let tooManyRows = Self(rawValue: "P0003")
    /// `P0004`
    public static let assertFailure = Self(rawValue: "P0004")

    // MARK: Class XX: Internal Error

    /// `XX000`
    public static let internalError = Self(rawValue: "XX000")
    /// `XX001`
    public static let dataCorrupted = Self(rawValue: "XX001")
    /// `XX002`
    public static let indexCorrupted = Self(rawValue: "XX002")
}
