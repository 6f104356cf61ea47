/// Why a value could not be bound or read.
///
/// `description` says where (row, column) and what to do; it never contains the value.
public struct PostgresValueError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is. More kinds may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The name of the kind.
        public let description: String

        /// NULL where the Swift type has no nil.
        public static let unexpectedNull = Code(description: "unexpectedNull")
        /// The column's type is not one that the Swift type reads.
        public static let typeMismatch = Code(description: "typeMismatch")
        /// The value exists in PostgreSQL and not in the Swift type, or the other way round.
        public static let outOfRange = Code(description: "outOfRange")
        /// The bytes are not what the type's form allows.
        public static let malformed = Code(description: "malformed")
        /// A text that is not UTF-8, as a SQL_ASCII database can send.
        public static let invalidUTF8 = Code(description: "invalidUTF8")
        /// A raw value for which the Swift enum has no case.
        public static let unknownCase = Code(description: "unknownCase")
        /// The result has no such column.
        public static let noSuchColumn = Code(description: "noSuchColumn")
        /// The result has several columns of that name.
        public static let ambiguousColumn = Code(description: "ambiguousColumn")
        /// A NUL character in a text or an identifier.
        public static let nulCharacter = Code(description: "nulCharacter")
        /// An identifier that PostgreSQL cannot have.
        public static let invalidIdentifier = Code(description: "invalidIdentifier")
        /// More parameters than the protocol can number.
        public static let tooManyParameters = Code(description: "tooManyParameters")
        /// An empty `\(list:)`.
        public static let emptyList = Code(description: "emptyList")
        /// A value interpolated inside quotes or a comment of the statement.
        public static let misplacedValue = Code(description: "misplacedValue")
        /// Another error, thrown by a conversion of the caller's own.
        public static let conversion = Code(description: "conversion")
    }

    /// The kind of failure.
    public var code: Code
    /// One sentence without the place.
    public var message: String
    /// The index of the row in its result, where there is one.
    public var row: Int?
    /// The name of the column, where there is one.
    public var column: String?
    /// The SQL type to cast the column to, where a cast helps.
    public var suggestedCast: String?
    /// The error that caused this one.
    public var underlying: (any Error)?

    /// Makes an error that has no place yet.
    public init(
        _ code: Code, _ message: String, suggestedCast: String? = nil, underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.suggestedCast = suggestedCast
        self.underlying = underlying
    }

    /// Place, reason and remedy in one line, e.g.
    /// `rows[2], column "price": cannot read numeric (OID 1700) as Int; cast it in the query: "price"::int8`.
    public var description: String {
        var text = ""
        if let row {
            text += "rows[\(row)]"
        }
        if let column {
            text += text.isEmpty ? "column \"\(column)\"" : ", column \"\(column)\""
        }
        text += text.isEmpty ? message : ": \(message)"
        if let suggestedCast {
            let name = column.map { "\"\($0)\"" } ?? "…"
            text += "; cast it in the query: \(name)::\(suggestedCast)"
        }
        if let underlying {
            text += " (\(underlying))"
        }
        return text
    }

    /// The same error with its place, or a foreign error wrapped with it.
    static func placing(_ error: any Error, row: Int, column: PostgresColumn) -> PostgresValueError {
        placing(error, row: row, column: column.name, "cannot convert \(column.oid)")
    }

    /// The same error with its place, or a foreign error wrapped with it.
    static func placing(
        _ error: any Error, row: Int, column: String, _ message: String = "cannot convert a value"
    ) -> PostgresValueError {
        var placed =
            error as? PostgresValueError ?? PostgresValueError(.conversion, message, underlying: error)
        placed.row = placed.row ?? row
        placed.column = placed.column ?? column
        return placed
    }
}
