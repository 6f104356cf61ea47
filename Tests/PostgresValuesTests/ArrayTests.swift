import FoundationEssentials
import PostgresValues
import Testing

@Suite struct ArrayTests {
    @Test func integerArraysGoBothWaysInBinary() throws {
        for values in [[], [1], [1, -2, .max, .min]] as [[Int64]] {
            #expect(try roundTrip(values) == values)
            #expect(try values.postgresParameter().oid == .int8Array)
        }
        #expect(try roundTrip([Int64?.none, 3]) == [nil, 3])
        #expect(try roundTrip([true, false]) == [true, false])
        #expect(try roundTrip([1.5, .infinity]) == [1.5, .infinity])
    }

    @Test func emptyArrayIsTwelveBytes() throws {
        #expect(try [Int32]().postgresParameter().bytes == big(Int32(0)) + big(Int32(0)) + big(Int32(23)))
    }

    @Test func textArraysAreBoundAsQuotedText() throws {
        let parameter = try ["a", "b\"c", "d\\e", "NULL", "", "{,}"].postgresParameter()
        #expect(parameter.oid == .inferred)
        #expect(
            String(decoding: parameter.bytes ?? [], as: UTF8.self)
                == #"{"a","b\"c","d\\e","NULL","","{,}"}"#)
        #expect(
            String(decoding: try [String?.none, "x"].postgresParameter().bytes ?? [], as: UTF8.self)
                == #"{NULL,"x"}"#)
    }

    @Test(
        arguments: [
            ("{}", []), ("{a}", ["a"]), ("{a,b}", ["a", "b"]),
            (#"{"a,b","c\"d","e\\f",""}"#, ["a,b", "c\"d", "e\\f", ""]),
            (#"{"NULL"}"#, ["NULL"]), ("[2:3]={a,b}", ["a", "b"]), ("{é}", ["é"]),
        ] as [(String, [String])])
    func textFormIsRead(text: String, values: [String]) throws {
        #expect(try decode([String].self, .textArray, text: text) == values)
        let bound = try values.postgresParameter()
        #expect(try decode([String].self, .textArray, .text, bound.bytes) == values)
    }

    @Test(arguments: ["", "{", "}", "a", #"{"a}"#, #"{"a"b}"#, "{{1},{2}}"])
    func malformedTextIsRefused(text: String) {
        #expect(failure([String].self, .textArray, .text, Array(text.utf8))?.code == .malformed)
    }

    @Test func nullElementNeedsAnOptional() throws {
        #expect(failure([Int].self, .int4Array, .text, Array("{1,NULL}".utf8))?.code == .unexpectedNull)
        #expect(try decode([Int?].self, .int4Array, text: "{1,NULL}") == [1, nil])
    }

    @Test func cutBinaryIsRefusedAtEveryLength() throws {
        let whole = try #require(try [Int64(1), 2, 3].postgresParameter().bytes)
        for length in 0..<whole.count {
            #expect(failure([Int64].self, .int8Array, .binary, Array(whole[..<length]))?.code == .malformed)
        }
    }

    @Test func headersThatLieAboutTheCountAreRefused() {
        let header = big(Int32(1)) + big(Int32(0)) + big(Int32(20)) + big(Int32.max) + big(Int32(1))
        #expect(failure([Int64].self, .int8Array, .binary, header)?.code == .malformed)
    }

    @Test func elementsAreRangeChecked() {
        #expect(failure([Int16].self, .int4Array, .text, Array("{70000}".utf8))?.code == .outOfRange)
    }

    @Test func uuidsAndDatesAreElementsToo() throws {
        let uuid = UUID()
        #expect(try roundTrip([uuid]) == [uuid])
        let date = Date(timeIntervalSinceReferenceDate: 1)
        #expect(try roundTrip([date]) == [date])
    }
}
