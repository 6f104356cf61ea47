/// Makes an enum of `String` or integer raw values a PostgreSQL value: say so and nothing more.
///
/// ```swift
/// enum Rating: String, Codable, PostgresEnum { case g, pg, r }
/// ```
/// A `String` enum fits a column of a PostgreSQL enum type (the case names are its labels) and a text column alike; an
/// integer enum fits an integer column.
public protocol PostgresEnum: RawRepresentable, PostgresArrayElement where RawValue: PostgresArrayElement {}

extension PostgresEnum {
    /// The raw value as a parameter.
    ///
    /// - Throws: What the raw value throws.
    public func postgresParameter() throws -> PostgresParameter { try rawValue.postgresParameter() }

    /// A NULL of the raw value's type.
    public static var postgresNull: PostgresParameter { RawValue.postgresNull }

    /// Reads the raw value.
    ///
    /// - Throws: `PostgresValueError(.unknownCase)` when no case has it, and what the raw value throws.
    public static func decode(_ cell: PostgresCell) throws -> Self {
        guard let value = Self(rawValue: try RawValue.decode(cell)) else {
            throw PostgresValueError(
                .unknownCase, "the \(cell.oid) is none of \(knownCases) of \(Self.self)")
        }
        return value
    }

    /// An array of the raw values as a parameter.
    ///
    /// - Throws: What the raw value throws.
    public static func encodeArray(_ elements: [Self]) throws -> PostgresParameter {
        try RawValue.encodeArray(elements.map(\.rawValue))
    }

    /// A NULL array of the raw value's type.
    public static var postgresNullArray: PostgresParameter { RawValue.postgresNullArray }

    private static var knownCases: String {
        guard let enumerable = Self.self as? any CaseIterable.Type else { return "the cases" }
        return "\(rawValues(of: enumerable))"
    }
}

private func rawValues(of type: any CaseIterable.Type) -> String {
    func list<T: CaseIterable>(_: T.Type) -> String {
        T.allCases.map { ($0 as? any RawRepresentable).map { "\($0.rawValue)" } ?? "\($0)" }
            .joined(separator: ", ")
    }
    return list(type)
}
