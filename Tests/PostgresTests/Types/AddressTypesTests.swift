import Postgres
import PostgresValues
import ReactorTesting
import Testing

@Suite struct AddressTypesTests {
    @Test func addresses() async throws {
        try await TypeTests.withConnection { connection in
            var inet = TypeCheck("inet", Inet.self)
            // The cast adds /32.
            inet.written = "format('%s', v)"
            try await inet.check(
                [
                    "0.0.0.0", "0.0.0.0/0", "192.168.0.1/24", "255.255.255.255", "::", "::1", "::2", "::/0",
                    "::ffff:1.2.3.4", "::1.2.3.4", "2001:db8::1/64", "1:0:0:2:0:0:0:3", "0:1:2:3:4:5:6:7",
                ], on: connection)
            try await inet.checkRandom(on: connection) { $0.inet() }
            let cidr = TypeCheck("cidr", Inet.self)
            try await cidr.check(
                ["0.0.0.0/0", "10.0.0.0/8", "1.2.3.4", "::/0", "::1", "2001:db8::/32"], on: connection)
            try await cidr.checkRandom(on: connection) { $0.network() }
        }
    }

    @Test func theOrderOfAddressesIsTheServers() async throws {
        try await TypeTests.withConnection { connection in
            var random = SeededGenerator(seed: TypeTests.seed)
            let values = (0..<500).map { _ in random.inet() }
            let sorted = try await connection.one(
                [Inet].self, "SELECT array_agg(v ORDER BY v) FROM unnest(\(values)::inet[]) v")
            #expect(sorted == values.sorted(), "seed \(TypeTests.seed)")
        }
    }

    @Test func hardwareAddresses() async throws {
        try await TypeTests.withConnection { connection in
            let short = TypeCheck("macaddr", MACAddress.self)
            try await short.check(
                ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "08002b:010203"], on: connection)
            try await short.checkRandom(on: connection) { MACAddress(bytes: $0.bytes(6))! }
            let long = TypeCheck("macaddr8", MACAddress.self)
            try await long.check(
                ["00:00:00:00:00:00:00:00", "08:00:2b:01:02:03", "ff:ff:ff:ff:ff:ff:ff:ff"], on: connection)
            try await long.checkRandom(on: connection) { MACAddress(bytes: $0.bytes(8))! }
        }
    }

    @Test func bits() async throws {
        try await TypeTests.withConnection { connection in
            let check = TypeCheck("varbit", BitString.self)
            try await check.check(["", "0", "1", "010101010", "1111111100000000"], on: connection)
            try await check.checkRandom(on: connection) { random in
                BitString((0..<(random.next() % 40)).map { _ in random.chance(2) })
            }
            try await TypeCheck("bit(5)", BitString.self).check(["00000", "11111", "01010"], on: connection)
        }
    }

    @Test func placesInTheLog() async throws {
        try await TypeTests.withConnection { connection in
            let check = TypeCheck("pg_lsn", LogSequenceNumber.self)
            try await check.check(["0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF"], on: connection)
            try await check.checkRandom(on: connection) { LogSequenceNumber(rawValue: $0.integer()) }
        }
    }

    @Test func shapes() async throws {
        try await TypeTests.withConnection { connection in
            let point = TypeCheck("point", PostgresPoint.self)
            try await point.check(["(0,0)", "(-0,1e300)", "(NaN,Infinity)", "(1e15,1e-5)"], on: connection)
            try await point.checkRandom(on: connection) { $0.point() }
            let line = TypeCheck("line", PostgresLine.self)
            try await line.check(["{1,-1,0}", "{0,1,-5.5}"], on: connection)
            try await line.checkRandom(on: connection) { PostgresLine(a: 1, b: $0.double(), c: $0.double()) }
            let segment = TypeCheck("lseg", PostgresLineSegment.self)
            try await segment.check(["[(0,0),(1,1)]"], on: connection)
            try await segment.checkRandom(on: connection) { PostgresLineSegment($0.point(), $0.point()) }
            let box = TypeCheck("box", PostgresBox.self)
            try await box.check(["(0,0),(1,1)", "(1,0),(0,1)"], on: connection)
            try await box.checkRandom(on: connection) { PostgresBox($0.point(), $0.point()) }
            let path = TypeCheck("path", PostgresPath.self)
            try await path.check(["[(0,0)]", "[(0,0),(1,1)]", "((0,0),(1,1))"], on: connection)
            try await path.checkRandom(on: connection) { PostgresPath($0.points(), isClosed: $0.chance(2)) }
            let polygon = TypeCheck("polygon", PostgresPolygon.self)
            try await polygon.check(["((0,0))", "((0,0),(1,1),(1,0))"], on: connection)
            try await polygon.checkRandom(on: connection) { random in
                // The server works out a bounding box, which needs numbers.
                PostgresPolygon(
                    random.points().map { PostgresPoint(x: $0.x.isNaN ? 0 : $0.x, y: $0.y.isNaN ? 0 : $0.y) })
            }
            let circle = TypeCheck("circle", PostgresCircle.self)
            try await circle.check(["<(0,0),0>", "<(1,2),2.5>"], on: connection)
            try await circle.checkRandom(on: connection) { random in
                PostgresCircle(center: random.point(), radius: random.double().magnitude)
            }
        }
    }
}
