import FoundationEssentials
import Models
import PostgresValues

/// The table of the lookup service.
struct Client: Model, Equatable {
    static let table = "clients"
    var id: Int64?
    var code: String
    var packet: String
}

enum Rating: String, Codable, PostgresEnum, CaseIterable { case g, pg }

/// One property of every kind, and a renamed column.
struct Film: Model, Equatable {
    static let table = "films"
    static var columns: KeyValuePairs<PartialKeyPath<Film>, String> { [\.spokenLanguage: "lang"] }

    var id: UUID?
    var title: String
    var lengthMinutes: Int32?
    var rating: Rating = .g
    var spokenLanguage: String?
    var posterURL: String?
    var score: Double = 0
    var isPublic: Bool = true
    var digest: [UInt8] = []
    var tags: [String] = []
    var releasedAt: Date?

    var shout: String { title.uppercased() }
}

/// Has no `id`, and reads its rows by hand.
struct Pair: Model, Equatable {
    static let table = "pairs"
    var left: Int
    var right: Int?

    init(left: Int, right: Int?) {
        (self.left, self.right) = (left, right)
    }

    init(row: inout ModelRow) throws {
        (left, right) = (try row.next(), try row.next())
    }
}
