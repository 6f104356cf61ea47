import Testing

@testable import Models

@Suite struct ColumnNamingTests {
    @Test(arguments: [
        ("id", "id"), ("code", "code"), ("languageCode", "language_code"), ("languageID", "language_id"),
        ("htmlURLText", "html_url_text"), ("URL", "url"), ("URLText", "url_text"), ("isbn13", "isbn13"),
        ("isbn13Code", "isbn13_code"), ("already_snake", "already_snake"), ("_private", "_private"),
        ("x", "x"),
        ("xY", "x_y"), ("größeÄndern", "größe_ändern"), ("a1B2", "a1_b2"), ("", ""),
    ])
    func propertiesBecomeSnakeCase(property: String, column: String) {
        #expect(ColumnNaming.snakeCase(property) == column)
    }
}
