import PostgresValues
import Testing

@Suite struct GeometryTests {
    @Test func everyShapeGoesBothWays() throws {
        try checkAllForms(PostgresPoint(x: 1.5, y: -2), "(1.5,-2)")
        try checkAllForms(PostgresPoint(x: .infinity, y: -0.0), "(Infinity,-0)")
        try checkAllForms(PostgresLine(a: 1, b: -1, c: 0), "{1,-1,0}")
        let (zero, one) = (PostgresPoint(x: 0, y: 0), PostgresPoint(x: 1, y: 1))
        try checkAllForms(PostgresLineSegment(zero, one), "[(0,0),(1,1)]")
        try checkAllForms(PostgresBox(zero, one), "(1,1),(0,0)")
        try checkAllForms(PostgresPath([zero, one]), "[(0,0),(1,1)]")
        try checkAllForms(PostgresPath([zero, one], isClosed: true), "((0,0),(1,1))")
        try checkAllForms(PostgresPolygon([zero, one, zero]), "((0,0),(1,1),(0,0))")
        try checkAllForms(PostgresCircle(center: one, radius: 2.5), "<(1,1),2.5>")
    }

    @Test func otherTextsAreNoShapes() {
        checkRefused(PostgresPoint.self, ["", "1,2", "(1)", "(1,2", "(1,2) ", "(a,b)"])
        checkRefused(PostgresBox.self, ["(1,1)", "(1,1),(0,0),(2,2)"])
        checkRefused(PostgresPath.self, ["((0,0)]", "()", "[]"])
        checkRefused(PostgresCircle.self, ["<(0,0)>", "(0,0),1"])
    }

    @Test(
        arguments: [
            (1e15, "1e+15"), (999_999_999_999_999, "999999999999999"), (0.0001, "0.0001"), (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"), (1.25e100, "1.25e+100"), (100, "100"),
            (47_662_912_196_374_784, "4.7662912196374784e+16"), (1e22, "1e+22"),
            (75_085_406_579_418_592, "7.508540657941859e+16"),
            (91_196_488_976_767_008, "9.119648897676701e+16"), (-0.5, "-0.5"), (123.456, "123.456"),
            (.leastNonzeroMagnitude, "5e-324"), (.greatestFiniteMagnitude, "1.7976931348623157e+308"),
        ] as [(Double, String)])
    func numbersAreWrittenAsTheServerDoes(number: Double, text: String) throws {
        #expect(PostgresPoint(x: number, y: 0).description == "(\(text),0)")
        #expect(try number.postgresParameter().textBytes() == Array(text.utf8))
    }

    @Test func singlePrecisionHasAnExponentEarlier() throws {
        #expect(try Float(1e6).postgresParameter().textBytes() == Array("1e+06".utf8))
        #expect(try Float(63_478_712).postgresParameter().textBytes() == Array("6.3478712e+07".utf8))
        #expect(
            try Float.greatestFiniteMagnitude.postgresParameter().textBytes() == Array("3.4028235e+38".utf8))
        #expect(try Float(123456).postgresParameter().textBytes() == Array("123456".utf8))
    }
}
