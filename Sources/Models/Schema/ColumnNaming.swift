/// How a property's name becomes a column's.
enum ColumnNaming {
    /// `languageID` → `language_id`, `htmlURLText` → `html_url_text`, `isbn13` → `isbn13`.
    static func snakeCase(_ name: String) -> String {
        let characters = Array(name)
        var result = ""
        for (place, character) in characters.enumerated() {
            guard character.isUppercase else {
                result.append(character)
                continue
            }
            let before = place > 0 ? characters[place - 1] : nil
            let after = place + 1 < characters.count ? characters[place + 1] : nil
            // A word begins behind a small letter or a digit, and with the last capital of a row of them.
            let beginsWord =
                before.map { $0.isLowercase || $0.isNumber || ($0.isUppercase && after?.isLowercase == true) }
            if beginsWord == true {
                result.append("_")
            }
            result += character.lowercased()
        }
        return result
    }
}
