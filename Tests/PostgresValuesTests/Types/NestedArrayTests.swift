import PostgresValues
import Testing

@Suite struct NestedArrayTests {
    @Test func matricesGoBothWays() throws {
        let matrix: [[Int32]] = [[1, 2, 3], [4, 5, 6]]
        let bound = try matrix.postgresParameter()
        #expect(bound.oid == .int4Array && bound.format == .binary)
        #expect(try roundTrip(matrix) == matrix)
        #expect(
            String(decoding: try bound.textBytes() ?? [], as: UTF8.self) == #"{{"1","2","3"},{"4","5","6"}}"#)
        #expect(try roundTrip([[[1], [2]], [[3], [nil]]] as [[[Int?]]]) == [[[1], [2]], [[3], [nil]]])
        #expect(try decode([[Int]].self, .int8Array, text: "[0:1][5:6]={{1,2},{3,4}}") == [[1, 2], [3, 4]])
    }

    @Test func textsNestInText() throws {
        let texts = [["a", "b\"{}"], ["", "NULL"]]
        let bound = try texts.postgresParameter()
        #expect(String(decoding: bound.bytes ?? [], as: UTF8.self) == #"{{"a","b\"{}"},{"","NULL"}}"#)
        #expect(try decode([[String]].self, .textArray, .text, bound.bytes) == texts)
        #expect(
            try decode([[String?]].self, .textArray, text: "{{a,NULL},{\"b c\",d}}") == [
                ["a", nil], ["b c", "d"],
            ])
    }

    @Test func emptyOnesAreEmptyWhateverTheirDepth() throws {
        #expect(try [[Int32]]().postgresParameter() == [Int32]().postgresParameter())
        #expect(try decode([[Int]].self, .int8Array, text: "{}") == [])
        let parts: [[Int32]] = [[], []]
        #expect(try parts.postgresParameter().bytes == [Int32]().postgresParameter().bytes)
        #expect(try [[Int32]]?.none.postgresParameter() == .null(.int4Array))
    }

    @Test func raggedOnesAreRefused() {
        #expect(throws: PostgresValueError.self) { try [[1], [2, 3]].postgresParameter() }
        #expect(throws: PostgresValueError.self) { try [["a"], []].postgresParameter() }
        for text in [
            "{{1},{2,3}}", "{{1},2}", "{1,{2}}", "{{1}", "{{}}", "{{{{{{{1}}}}}}}", "{,}", "{1,}", "[1:1]{1}",
        ] {
            #expect(failure([[Int]].self, .int8Array, .text, Array(text.utf8))?.code == .malformed, "\(text)")
        }
    }

    @Test func depthsMustAgree() {
        #expect(failure([[Int]].self, .int8Array, .text, Array("{1,2}".utf8))?.code == .malformed)
        #expect(failure([Int].self, .int8Array, .text, Array("{{1},{2}}".utf8))?.code == .malformed)
        #expect(failure([[Int]].self, .int8Array, .text, Array("{{{1}}}".utf8))?.code == .malformed)
        #expect(throws: PostgresValueError.self) { try [[[[[[[1]]]]]]].postgresParameter() }
    }

    @Test func aPartCannotBeNULL() throws {
        #expect(throws: PostgresValueError.self) { try [[1], nil].postgresParameter() }
        #expect(throws: PostgresValueError.self) { try [["a"], nil].postgresParameter() }
        #expect(failure([[Int]].self, .int8Array, .text, Array("{NULL}".utf8))?.code == .malformed)
    }

    @Test func byteArraysAreElements() throws {
        let values: [[UInt8]] = [[1, 2], [], [255]]
        #expect(try values.postgresParameter().oid == .byteaArray)
        #expect(try roundTrip(values) == values)
        #expect(try roundTrip([[1], nil] as [[UInt8]?]) == [[1], nil])
        #expect(try [[UInt8]]?.none.postgresParameter() == .null(.byteaArray))
        let nested: [[[UInt8]]] = [[[1], [2]], [[3], [4]]]
        #expect(try roundTrip(nested) == nested)
        #expect(try decode([[UInt8]].self, .byteaArray, text: #"{"\\x01","\\x"}"#) == [[1], []])
    }

    @Test func boxesAreSeparatedBySemicolons() throws {
        let box = PostgresBox(PostgresPoint(x: 1, y: 1), PostgresPoint(x: 0, y: 0))
        #expect(try decode([PostgresBox].self, .boxArray, text: "{(1,1),(0,0);(1,1),(0,0)}") == [box, box])
    }

    @Test func randomMatricesOfTextsGoBothWays() throws {
        var random = SeededGenerator(state: 3)
        let parts = ["", "a", "NULL", "\"", "\\", ",", "{", "}", " ", "é"]
        for _ in 0..<500 {
            let (rows, columns) = (Int(random.next() % 4) + 1, Int(random.next() % 4) + 1)
            let matrix: [[String?]] = (0..<rows).map { _ in
                (0..<columns).map { _ in
                    random.next() % 5 == 0
                        ? nil : (0..<(random.next() % 4)).map { _ in parts[Int(random.next() % 10)] }.joined()
                }
            }
            let bytes = try matrix.postgresParameter().bytes
            #expect(try decode([[String?]].self, .textArray, .text, bytes) == matrix)
            #expect(
                try decode(PostgresArray<String?>.self, .textArray, .text, bytes).elements
                    == matrix.flatMap(\.self))
        }
    }

    // An array of a domain has a type of its own, which says nothing about the elements.
    @Test func arraysOfDomainsAreReadByTheSwiftType() throws {
        let oid = PostgresTypeOID(rawValue: 20_000)
        #expect(try decode([Int?].self, oid, text: "{1,NULL}") == [1, nil])
        #expect(
            try decode([[PostgresNumeric]].self, oid, text: "{{1.5},{2}}") == [
                [PostgresNumeric("1.5")!], [2],
            ])
        #expect(failure([Int].self, oid, .text, Array("{sad}".utf8))?.code == .malformed)
    }

    @Test func cutBinaryIsRefusedAtEveryLength() throws {
        let whole = try #require(try [[Int16(1), 2], [3, 4]].postgresParameter().bytes)
        for length in 0..<whole.count {
            #expect(failure([[Int]].self, .int2Array, .binary, Array(whole[..<length]))?.code == .malformed)
        }
        let lie =
            big(Int32(2)) + big(Int32(0)) + big(Int32(20)) + big(Int32.max) + big(Int32(1)) + big(Int32.max)
            + big(Int32(1))
        #expect(failure([[Int64]].self, .int8Array, .binary, lie)?.code == .malformed)
    }
}

@Suite struct PostgresArrayTests {
    @Test func lowerBoundsAreKept() throws {
        let array = try decode(PostgresArray<Int>.self, .int8Array, text: "[2:3][0:1]={{1,2},{3,4}}")
        #expect(array.elements == [1, 2, 3, 4] && array.dimensions.map(\.lowerBound) == [2, 0])
        #expect(
            array[3, 0] == 3 && array[2, 1] == 2 && array[1, 0] == nil && array[2] == nil
                && array[.min, 0] == nil)
        #expect(try roundTrip(array) == array)
        let texts = PostgresArray(["a", nil], lowerBound: -1)
        let bound = try texts.postgresParameter()
        #expect(String(decoding: bound.bytes ?? [], as: UTF8.self) == #"[-1:0]={"a",NULL}"#)
        #expect(try decode(PostgresArray<String?>.self, .textArray, .text, bound.bytes) == texts)
    }

    @Test func dimensionsMustMultiplyToTheElements() {
        #expect(PostgresArray([1, 2, 3], dimensions: [.init(count: 2), .init(count: 2)]) == nil)
        #expect(PostgresArray([Int](), dimensions: [.init(count: 0)])?.dimensions == [])
        #expect(PostgresArray([1], dimensions: [.init(count: .max), .init(count: .max)]) == nil)
        #expect(throws: PostgresValueError.self) { try PostgresArray([[1]]).postgresParameter() }
    }
}
