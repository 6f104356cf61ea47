import Models
public import Postgres
public import ReactorCore
public import Transports

/// The lookup protocol in `async` style: one function a connection, its state in local variables.
///
/// Lines are answered one after the other. Writes park while the client does not read.
@ReactorActor
public func serveLookups(
    _ connection: StreamConnection, db: any PostgresDatabase, latency: Duration = .zero
) async throws {
    do {
        for try await line in connection.lines {
            switch LookupRequest(line: line) {
            case .goodBye:
                try await connection.write("Good bye\r\n")
                return
            case .invalid(let message):
                try await connection.write(LookupRequest.errorLine(message) + "\r\n")
            case .lookUp(let code):
                let answer: String
                do {
                    answer = LookupRequest.answer(
                        try await Client.with(code: code, latency: latency).first(db), code: code)
                } catch {
                    answer = LookupRequest.errorLine(error)
                }
                try await connection.write(answer + "\r\n")
            }
        }
    } catch let error as TransportError where error.code == .lineTooLong {
        try await connection.write(LookupRequest.errorLine(error.message) + "\r\n")
    }
}
