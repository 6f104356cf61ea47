import CLibPQ

extension PostgresSession {
    /// Gives the connection up when a statement has changed `client_encoding`: texts are UTF-8 in both directions here, and the
    /// server would store and show others than were meant, without a word.
    ///
    /// Looked at when the statement is over: a script that sets it back has done no harm.
    @inline(__always)
    func checkEncoding() {
        if let handle, PQclientEncoding(handle) != Self.utf8 { refuseEncoding(handle) }
    }

    /// As PQclientEncoding tells UTF-8; it has one number in all versions.
    private static let utf8: Int32 = 6

    @inline(never)
    private func refuseEncoding(_ handle: OpaquePointer) {
        guard failure == nil, PQstatus(handle) == CONNECTION_OK else { return }
        func parameter(_ name: String) -> String? {
            PQparameterStatus(handle, name).map { String(cString: $0) }
        }
        let encoding = parameter("client_encoding") ?? "something else"
        // Nothing is converted then, as dumps of databases without an encoding want it.
        if encoding == "SQL_ASCII", parameter("server_encoding") == "UTF8" { return }
        lose(
            PostgresError(
                .connectionClosed,
                "a statement has set client_encoding to \(encoding), and the connection was given up: texts are sent and read as "
                    + "UTF8; convert by convert_to and convert_from"), .alone)
    }
}
