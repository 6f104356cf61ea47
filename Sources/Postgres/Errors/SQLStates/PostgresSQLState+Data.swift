// Condition names of PostgreSQL's Appendix A, by class.

extension PostgresSQLState {
    // MARK: Class 22: Data Exception

    /// `22000`
    public static let dataException = Self(rawValue: "22000")
    /// `2202E`
    public static let arraySubscriptError = Self(rawValue: "2202E")
    /// `22021`
    public static let characterNotInRepertoire = Self(rawValue: "22021")
    /// `22008`
    public static let datetimeFieldOverflow = Self(rawValue: "22008")
    /// `22012`
    public static let divisionByZero = Self(rawValue: "22012")
    /// `22005`
    public static let errorInAssignment = Self(rawValue: "22005")
    /// `2200B`
    public static let escapeCharacterConflict = Self(rawValue: "2200B")
    /// `22022`
    public static let indicatorOverflow = Self(rawValue: "22022")
    /// `22015`
    public static let intervalFieldOverflow = Self(rawValue: "22015")
    /// `2201E`
    public static let invalidArgumentForLogarithm = Self(rawValue: "2201E")
    /// `22014`
    public static let invalidArgumentForNtileFunction = Self(rawValue: "22014")
    /// `22016`
    public static let invalidArgumentForNthValueFunction = Self(rawValue: "22016")
    /// `2201F`
    public static let invalidArgumentForPowerFunction = Self(rawValue: "2201F")
    /// `2201G`
    public static let invalidArgumentForWidthBucketFunction = Self(rawValue: "2201G")
    /// `22018`
    public static let invalidCharacterValueForCast = Self(rawValue: "22018")
    /// `22007`
    public static let invalidDatetimeFormat = Self(rawValue: "22007")
    /// `22019`
    public static let invalidEscapeCharacter = Self(rawValue: "22019")
    /// `2200D`
    public static let invalidEscapeOctet = Self(rawValue: "2200D")
    /// `22025`
    public static let invalidEscapeSequence = Self(rawValue: "22025")
    /// `22P06`
    public static let nonstandardUseOfEscapeCharacter = Self(rawValue: "22P06")
    /// `22010`
    public static let invalidIndicatorParameterValue = Self(rawValue: "22010")
    /// `22023`
    public static let invalidParameterValue = Self(rawValue: "22023")
    /// `22013`
    public static let invalidPrecedingOrFollowingSize = Self(rawValue: "22013")
    /// `2201B`
    public static let invalidRegularExpression = Self(rawValue: "2201B")
    /// `2201W`
    public static let invalidRowCountInLimitClause = Self(rawValue: "2201W")
    /// `2201X`
    public static let invalidRowCountInResultOffsetClause = Self(rawValue: "2201X")
    /// `2202H`
    public static let invalidTablesampleArgument = Self(rawValue: "2202H")
    /// `2202G`
    public static let invalidTablesampleRepeat = Self(rawValue: "2202G")
    /// `22009`
    public static let invalidTimeZoneDisplacementValue = Self(rawValue: "22009")
    /// `2200C`
    public static let invalidUseOfEscapeCharacter = Self(rawValue: "2200C")
    /// `2200G`
    public static let mostSpecificTypeMismatch = Self(rawValue: "2200G")
    /// `22004`
    public static let nullValueNotAllowed = Self(rawValue: "22004")
    /// `22002`
    public static let nullValueNoIndicatorParameter = Self(rawValue: "22002")
    /// `22003`
    public static let numericValueOutOfRange = Self(rawValue: "22003")
    /// `2200H`
    public static let sequenceGeneratorLimitExceeded = Self(rawValue: "2200H")
    /// `22026`
    public static let stringDataLengthMismatch = Self(rawValue: "22026")
    /// `22001`
    public static let stringDataRightTruncation = Self(rawValue: "22001")
    /// `22011`
    public static let substringError = Self(rawValue: "22011")
    /// `22027`
    public static let trimError = Self(rawValue: "22027")
    /// `22024`
    public static let unterminatedCString = Self(rawValue: "22024")
    /// `2200F`
    public static let zeroLengthCharacterString = Self(rawValue: "2200F")
    /// `22P01`
    public static let floatingPointException = Self(rawValue: "22P01")
    /// `22P02`
    public static let invalidTextRepresentation = Self(rawValue: "22P02")
    /// `22P03`
    public static let invalidBinaryRepresentation = Self(rawValue: "22P03")
    /// `22P04`
    public static let badCopyFileFormat = Self(rawValue: "22P04")
    /// `22P05`
    public static let untranslatableCharacter = Self(rawValue: "22P05")
    /// `22P07`
    public static let datumVersionMismatch = Self(rawValue: "22P07")
    /// `2200L`
    public static let notAnXMLDocument = Self(rawValue: "2200L")
    /// `2200M`
    public static let invalidXMLDocument = Self(rawValue: "2200M")
    /// `2200N`
    public static let invalidXMLContent = Self(rawValue: "2200N")
    /// `2200S`
    public static let invalidXMLComment = Self(rawValue: "2200S")
    /// `2200T`
    public static let invalidXMLProcessingInstruction = Self(rawValue: "2200T")
    /// `22030`
    public static let duplicateJSONObjectKeyValue = Self(rawValue: "22030")
    /// `22031`
    public static let invalidArgumentForSQLJSONDatetimeFunction = Self(rawValue: "22031")
    /// `22032`
    public static let invalidJSONText = Self(rawValue: "22032")
    /// `22033`
    public static let invalidSQLJSONSubscript = Self(rawValue: "22033")
    /// `22034`
    public static let moreThanOneSQLJSONItem = Self(rawValue: "22034")
    /// `22035`
    public static let noSQLJSONItem = Self(rawValue: "22035")
    /// `22036`
    public static let nonNumericSQLJSONItem = Self(rawValue: "22036")
    /// `22037`
    public static let nonUniqueKeysInAJSONObject = Self(rawValue: "22037")
    /// `22038`
    public static let singletonSQLJSONItemRequired = Self(rawValue: "22038")
    /// `22039`
    public static let sqlJSONArrayNotFound = Self(rawValue: "22039")
    /// `2203A`
    public static let sqlJSONMemberNotFound = Self(rawValue: "2203A")
    /// `2203B`
    public static let sqlJSONNumberNotFound = Self(rawValue: "2203B")
    /// `2203C`
    public static let sqlJSONObjectNotFound = Self(rawValue: "2203C")
    /// `2203D`
    public static let tooManyJSONArrayElements = Self(rawValue: "2203D")
    /// `2203E`
    public static let tooManyJSONObjectMembers = Self(rawValue: "2203E")
    /// `2203F`
    public static let sqlJSONScalarRequired = Self(rawValue: "2203F")
    /// `2203G`
    public static let sqlJSONItemCannotBeCastToTargetType = Self(rawValue: "2203G")
}
