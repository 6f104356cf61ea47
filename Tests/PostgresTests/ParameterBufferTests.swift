import PostgresValues
import Testing

@testable import Postgres

@Suite struct ParameterBufferTests {
    private func fill(_ buffer: inout ParameterBuffer, _ sizes: [Int]) -> [Int32] {
        let sql = sizes.reduce(into: SQL()) { $0.append(SQL("\(String(repeating: "x", count: $1))")) }
        return buffer.withParameters(sql.parameters) { count, values, lengths, _ in
            (0..<Int(count)).map { values?[$0] == nil ? -1 : lengths?[$0] ?? -1 }
        }
    }

    @Test func ordinaryValuesFindTheMemoryOfTheLast() {
        var buffer = ParameterBuffer()
        #expect(fill(&buffer, [10, 1000, 0]) == [10, 1000, 0])
        #expect(buffer.capacity >= 1010)
    }

    @Test func whatALargeValueNeededIsLetGo() {
        var buffer = ParameterBuffer()
        #expect(fill(&buffer, [5, 4 << 20]) == [5, 4 << 20])
        #expect(buffer.capacity <= ParameterBuffer.keptBytes)
        #expect(fill(&buffer, [7]) == [7])
    }
}
