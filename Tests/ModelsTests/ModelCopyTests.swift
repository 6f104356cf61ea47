import FoundationEssentials
import Greenlets
import Models
import Postgres
import PostgresValues
import ReactorCore
import Testing

/// Models by COPY, in and out.
@Suite struct ModelCopyTests {
    private static let films: [Film] = (0..<500).map { number in
        var film = Film(title: "Film\t\(number) \\N", lengthMinutes: number % 3 == 0 ? nil : Int32(number))
        film.rating = number % 2 == 0 ? .g : .pg
        film.spokenLanguage = "de"
        film.digest = [0, 255, UInt8(number % 256)]
        film.tags = ["a", "b, \"c\""]
        film.releasedAt = Date(timeIntervalSince1970: Double(number))
        return film
    }

    @Test(arguments: [PostgresCopyFormat.text, .binary])
    func whatGoesInComesOut(format: PostgresCopyFormat) async throws {
        try await Database().withPool { db async throws in
            #expect(try await Film.copyIn(Self.films, db, format: format) == 500)
            var found: [Film] = []
            for try await var film in Film.copyOut(db) {
                #expect(film.id != nil)
                film.id = nil
                found.append(film)
            }
            #expect(found.sorted { $0.digest[2] < $1.digest[2] }.count == 500)
            #expect(Set(found.map(\.title)) == Set(Self.films.map(\.title)))
            #expect(found.allSatisfy { film in Self.films.contains(film) })
        }
    }

    @Test func valuesWithAnIDKeepIt() async throws {
        try await Database().withPool { db async throws in
            let clients = ([7, 9] as [Int64]).map { Client(id: $0, code: "c\($0)", packet: "") }
            #expect(try await Client.copyIn(clients, db) == 2)
            #expect(try await Client.all(db) == clients)
            #expect(try await Client.copyIn([], db) == 0)
            #expect(try await Pair.copyIn([Pair(left: 1, right: nil), Pair(left: 2, right: 3)], db) == 2)
            #expect(try await Pair.count(db) == 2)
        }
    }

    @Test func someWithAnIDAndSomeWithoutAreRefusedAndNothingStays() async throws {
        try await Database().withPool { db async throws in
            for ids in [[nil, 1], [1, nil] as [Int64?]] {
                let error = await #expect(throws: ModelError.self) {
                    try await Client.copyIn(ids.map { Client(id: $0, code: "\($0 ?? 0)", packet: "") }, db)
                }
                #expect(error?.code == .unsupported && error?.message.contains("number 2") == true)
                #expect(try await Client.count(db) == 0)
            }
        }
    }

    @Test func aGreenletDoesTheSame() async throws {
        try await Database().withPool { db async throws in
            let greenlet = Greenlet.spawn { () throws in
                let count = try Client.copyIn(
                    (Int64(1)...3).map { Client(id: $0, code: "\($0)", packet: "") }, db)
                var sum: Int64 = 0
                try Client.copyOut(db).forEach { sum += $0.id ?? 0 }
                return (count, sum)
            }
            let (count, sum) = try await greenlet.get()
            #expect(count == 3 && sum == 6)
        }
    }
}
