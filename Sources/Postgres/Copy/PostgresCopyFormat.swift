import PostgresValues

/// The form in which COPY moves rows.
public struct PostgresCopyFormat: Hashable, Sendable {
    /// The options of the statement.
    let options: String
    /// How rows of values are written, if they can be.
    let rows: PostgresFormat?

    /// A line for each row, with tabs between values: takes values of every type.
    public static let text = PostgresCopyFormat(options: "FORMAT text", rows: .text)
    /// The types' own binary forms: fastest, and each value must be of its column's type or an integer that fits it.
    public static let binary = PostgresCopyFormat(options: "FORMAT binary", rows: .binary)
    /// Comma-separated values, for bytes that are in this form already.
    public static let csv = csv()

    /// Comma-separated values, for bytes that are in this form already.
    ///
    /// - Parameters:
    ///   - header: the first line names the columns: written by the server, or skipped by it.
    ///   - delimiter: between values, one byte.
    public static func csv(header: Bool = false, delimiter: Character = ",") -> PostgresCopyFormat {
        let quoted = delimiter == "'" ? "''" : String(delimiter)
        return PostgresCopyFormat(
            options: "FORMAT csv, HEADER \(header), DELIMITER '\(quoted)'", rows: nil)
    }
}
