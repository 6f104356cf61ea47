/// A host name that has the form of one, checked before anybody is asked. Pure.
struct HostName {
    /// As the caller wrote it: a trailing dot says that no search domain is to be tried.
    let text: String
    /// Lower case, without the trailing dot: what tables are searched by.
    let canonical: String

    /// - Throws: `ReactorError` with code `nameNotFound` that says why no host can have this name.
    init(_ text: String) throws(ReactorError) {
        func refuse(_ reason: String) -> ReactorError {
            ReactorError(.nameNotFound, "the host \(String(reflecting: text)) cannot exist: \(reason)")
        }
        guard !text.isEmpty else { throw refuse("it is empty; give a name or an IP address") }
        // First: what follows counts bytes, and bytes of ASCII are characters.
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw refuse("a name is ASCII on the wire; give the form that begins with xn-- (IDNA)")
        }
        guard text.first != "[" else { throw refuse("an IPv6 address goes without brackets here") }
        guard !text.utf8.contains(UInt8(ascii: ":")) else {
            throw refuse("it is no IPv6 address of this machine's, and a port is a parameter of its own")
        }
        if let byte = text.utf8.first(where: { !Self.isAllowed($0) }) {
            let character = String(reflecting: String(UnicodeScalar(byte)))
            throw refuse("\(character) cannot be part of a name")
        }
        var canonical = text.lowercased()
        if canonical.hasSuffix(".") { canonical.removeLast() }
        guard canonical.utf8.count <= 253 else { throw refuse("a name has 253 bytes at most") }
        for label in canonical.split(separator: ".", omittingEmptySubsequences: false) {
            guard !label.isEmpty else { throw refuse("a part between two dots is empty") }
            guard label.utf8.count <= 63 else {
                throw refuse("a part between two dots has 63 bytes at most, not \(label.utf8.count)")
            }
        }
        self.text = text
        self.canonical = canonical
    }

    /// Whether it means this machine, whatever a name server says (RFC 6761, 6.3).
    var isLocalhost: Bool { canonical == "localhost" || canonical.hasSuffix(".localhost") }

    /// Letters, digits, hyphen, dot, and the underscore that service names and containers use.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
