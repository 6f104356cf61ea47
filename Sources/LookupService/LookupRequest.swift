/// What a line asks for. Pure: no connection, no database.
///
/// Characters 10 to 14 of a line are a client's code; an empty line says good bye.
public enum LookupRequest: Hashable, Sendable {
    /// Look this code up.
    case lookUp(code: String)
    /// The client is done.
    case goodBye
    /// The line is no request; answer with this text.
    case invalid(String)

    /// Reads a line, given without its delimiter.
    public init(line: String) {
        if line.isEmpty {
            self = .goodBye
            return
        }
        let code = line.dropFirst(10).prefix(5)
        guard code.count == 5 else {
            self = .invalid(
                "a line needs at least 15 characters, of which the 11th to the 15th are a client's code; got \(line.count)"
            )
            return
        }
        self = code.contains("\0") ? .invalid("the code holds a NUL character") : .lookUp(code: String(code))
    }

    /// The line that answers an error: always one line.
    public static func errorLine(_ error: any Error) -> String { errorLine("\(error)") }

    /// The line that answers a request that cannot be served.
    public static func errorLine(_ message: String) -> String {
        let text = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        return "error: \(text)"
    }

    /// The answer for a code: the packet, or an error line when nobody has that code.
    public static func answer(_ client: Client?, code: String) -> String {
        client?.packet ?? errorLine("no client has the code \"\(code)\"")
    }
}
