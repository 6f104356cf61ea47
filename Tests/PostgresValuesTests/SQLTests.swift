import PostgresValues
import Testing

@Suite struct SQLTests {
    @Test func interpolatedValuesBecomeNumberedParameters() throws {
        let code = "a'; DROP TABLE clients; --"
        let sql: SQL = "SELECT * FROM clients WHERE code = \(code) AND id > \(3)"
        #expect(sql.text == "SELECT * FROM clients WHERE code = $1 AND id > $2")
        #expect(try sql.parameters == [code.postgresParameter(), 3.postgresParameter()])
        try sql.validate()
    }

    @Test func optionalsAndBareNilsAreBound() throws {
        let missing: Int64? = nil
        let sql: SQL = "SELECT \(missing), \(Int64?.some(4))"
        #expect(sql.parameters == [.null(.int8), Int64(4).postgresParameter()])
    }

    @Test func interpolatedStringLiteralIsAValueNotAFragment() {
        let sql: SQL = "SELECT \("x")"
        #expect(sql.text == "SELECT $1")
    }

    @Test func numbersBehindAPlaceholderDoNotChangeIt() {
        let sql: SQL = "LIMIT \(1)0"
        #expect(sql.text == "LIMIT $1 0")
    }

    @Test(arguments: ["LIMIT", "é", "_", "a1", "x$"])
    func wordsBeforeAPlaceholderDoNotSwallowIt(word: String) {
        let sql: SQL = "\(raw: word)\(1)"
        #expect(sql.text == "\(word) $1")
    }

    @Test(arguments: [
        (["clients"], "\"clients\""),
        (["public", "clients"], "\"public\".\"clients\""),
        (["we\"ird"], "\"we\"\"ird\""),
        (["Ünïcode"], "\"Ünïcode\""),
        (["a.b"], "\"a.b\""),
    ])
    func identifiersAreQuoted(parts: [String], expected: String) throws {
        let sql: SQL = parts.count == 1 ? "\(ident: parts[0])" : "\(ident: parts[0], parts[1])"
        try sql.validate()
        #expect(sql.text == expected)
    }

    @Test(arguments: ["", "a\0b"])
    func impossibleIdentifiersAreRefused(name: String) {
        let sql: SQL = "SELECT * FROM \(ident: name)"
        #expect { try sql.validate() } throws: { ($0 as? PostgresValueError)?.code == .invalidIdentifier }
    }

    @Test func fragmentsAreRenumbered() throws {
        let left: SQL = "a = \(1) AND b = \(2)"
        let right: SQL = "c = \(3) OR d = \(4)"
        let both: SQL = "(\(left)) AND (\(right)) AND e = \(5)"
        #expect(both.text == "(a = $1 AND b = $2) AND (c = $3 OR d = $4) AND e = $5")
        #expect(both.parameters == (1...5).map { $0.postgresParameter() })
        #expect((left + " AND " + right).text == "a = $1 AND b = $2 AND c = $3 OR d = $4")
    }

    @Test func renumberingPassesNineAndKeepsDollarsThatAreText() {
        var sum = SQL()
        for number in 1...12 {
            sum += "\(raw: number > 1 ? "," : "")\(number)"
        }
        let all = "SELECT $tag$ $1 $tag$, " + sum + ", '$2'"
        #expect(all.text == "SELECT $tag$ $1 $tag$, $1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12, '$2'")
        #expect(("" + all).text == all.text)
        #expect(("" + all).parameters == all.parameters)
    }

    @Test func listsAreSeveralParameters() throws {
        let sql: SQL = "VALUES (\(list: ["a", "b", "c"]))"
        #expect(sql.text == "VALUES ($1, $2, $3)")
        #expect(sql.parameters.count == 3)
        let empty: SQL = "x IN (\(list: [Int]()))"
        #expect { try empty.validate() } throws: { ($0 as? PostgresValueError)?.code == .emptyList }
    }

    @Test func rawTextIsNotQuoted() {
        let sql: SQL = "SELECT 1 \(raw: "ORDER BY 1")"
        #expect(sql.text == "SELECT 1 ORDER BY 1")
        #expect(SQL(raw: "SELECT 2").text == "SELECT 2")
    }

    @Test func nulInAValueIsReportedWhenTheStatementIsUsed() {
        let sql: SQL = "SELECT \("a\0b")"
        #expect { try sql.validate() } throws: { ($0 as? PostgresValueError)?.code == .nulCharacter }
        let outer: SQL = "SELECT * FROM (\(sql)) x"
        #expect { try outer.validate() } throws: { ($0 as? PostgresValueError)?.code == .nulCharacter }
    }

    @Test func nulInTheStatementIsRefused() {
        #expect { try SQL(raw: "SELECT 1\0; DROP TABLE x").validate() } throws: {
            ($0 as? PostgresValueError)?.code == .nulCharacter
        }
    }

    @Test func sixtyFiveThousandParametersAreAllowedAndOneMoreIsNot() throws {
        let sql: SQL = "VALUES (\(list: Array(1...65535)))"
        try sql.validate()
        let more = sql + ", (\(1))"
        #expect {
            try more.validate()
        } throws: {
            ($0 as? PostgresValueError)?.code == .tooManyParameters && "\($0)".contains("65536")
        }
    }

    @Test func descriptionShowsNoValue() {
        let sql: SQL = "SELECT \("secret")"
        #expect("\(sql)" == "SELECT $1")
    }

    @Test func bytesThatTheProtocolCannotCarryAreReported() {
        // Its memory is never touched.
        let huge = [UInt8](unsafeUninitializedCapacity: 1 << 30) { _, count in count = 1 << 30 }
        for (parameter, code) in [
            (
                PostgresParameter(oid: .bytea, format: .binary, bytes: huge),
                PostgresValueError.Code.outOfRange
            ),
            (PostgresParameter(oid: .inferred, format: .text, bytes: [97, 0, 98]), .nulCharacter),
        ] {
            var sql: SQL = "SELECT "
            sql.append(parameter)
            let error = #expect(throws: PostgresValueError.self) { try sql.validate() }
            #expect(error?.code == code && sql.parameters == [.null(parameter.oid)])
        }
        var sql: SQL = "SELECT "
        sql.append(PostgresParameter(oid: .bytea, format: .binary, bytes: [97, 0, 98]))
        #expect(throws: Never.self) { try sql.validate() }
    }

    @Test func valuesInsideQuotesAndCommentsAreFound() {
        let value = 7
        let wrong: [SQL] = [
            "SELECT '\(value)'", "SELECT 'a''%\(value)%'", "SELECT \(value), E'\\'\(value)'",
            "SELECT \"\(value)\"",
            "SELECT 1 -- \(value)", "SELECT 1 /* /* */ \(value) */", "SELECT $$\(value)$$",
            "SELECT $é_1$ $$ \(value) $é_1$",
            "SELECT 'ünü \(value)", "SELECT e'\\\\', '\(value)'", "DO $$ BEGIN PERFORM \(value); END $$",
        ]
        for sql in wrong { #expect(sql.misplacedValue?.code == .misplacedValue, "\(sql.text)") }
        let right: [SQL] = [
            "SELECT \(value)", "SELECT '%' || \(value) || '%'", "SELECT ''\(value)''",
            "SELECT '\\' || \(value) || '\\'",
            "SELECT E'\\'' || \(value) || 'a''b'", "SELECT 1 -- '\n + \(value)",
            "SELECT /* ' /* \" */ */ \(value) /**/",
            "SELECT $a$ ' $b$ $a$, \(value)", "SELECT a$$ + \(value) - b$$",
            "SELECT \"it's\", \(value), \"\"\"\"",
            "SELECT note'x' \(value) 'y'", "SELECT 1 - - \(value) / 2 * \(value)",
            "SELECT U&'d\\0061' || \(value)",
            "SELECT \(value)\(value)", "", "SELECT 'none'",
        ]
        for sql in right { #expect(sql.misplacedValue == nil, "\(sql.text)") }
        let third: SQL = "SELECT \(value), \(value), '\(value)', '\(value)'"
        #expect(third.misplacedValue?.message.contains("value 3 ") == true)
    }
}
