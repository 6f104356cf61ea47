extension SQL: ExpressibleByStringInterpolation {
    /// A statement without interpolation. `StaticString`, so that not even this initialiser takes a variable.
    public init(stringLiteral value: StaticString) {
        self.init(raw: value.description)
    }

    /// A statement with interpolation.
    public init(stringInterpolation: StringInterpolation) {
        self = stringInterpolation.sql
    }

    /// Turns the pieces of a literal into a statement and its values; see `SQL`.
    public struct StringInterpolation: StringInterpolationProtocol {
        var sql = SQL()

        /// Called by the compiler.
        public init(literalCapacity: Int, interpolationCount: Int) {}

        /// Called by the compiler for the text between the values.
        public mutating func appendLiteral(_ literal: StaticString) {
            sql.append(raw: literal.description)
        }

        /// `\(value)`: the next `$n`.
        public mutating func appendInterpolation(_ value: some PostgresEncodable) {
            sql.append(value)
        }

        /// `\(value)` of an optional: the next `$n`, which may be NULL.
        ///
        /// Without this form the compiler warns that an optional is interpolated.
        public mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            sql.append(value)
        }

        /// `\(fragment)`: another statement's text and values.
        public mutating func appendInterpolation(_ fragment: SQL) {
            sql.append(fragment)
        }

        /// `\(ident: "schema", "table")`: a quoted identifier.
        public mutating func appendInterpolation(ident parts: String...) {
            sql.append(identifier: parts)
        }

        /// `\(raw: text)`: text as it is. Never give it anything a user wrote.
        public mutating func appendInterpolation(raw text: String) {
            sql.append(literal: text[...])
        }

        /// `\(list: values)`: `$1, $2, $3`, for `VALUES (…)` or a function's arguments.
        ///
        /// For `IN (…)` prefer `= ANY(\(values))`: one value, one plan, and it may be empty; an empty list is
        /// an error, because SQL has none.
        public mutating func appendInterpolation(list values: [some PostgresEncodable]) {
            if values.isEmpty {
                sql.record(
                    PostgresValueError(.emptyList, "\\(list:) got no values; compare with = ANY(…) instead"))
            }
            for (position, value) in values.enumerated() {
                if position > 0 {
                    sql.append(literal: ", ")
                }
                sql.append(value)
            }
        }
    }
}

extension SQL: CustomStringConvertible {
    /// The statement's text; never the values.
    public var description: String { text }
}
