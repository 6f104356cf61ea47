import Models
public import Postgres
import ReactorCore
public import Transports

/// The lookup protocol in `async` style: one function a connection, its state in local variables.
///
/// Lines are answered one after the other. Writes park while the client does not read.
@ReactorActor
public func serveLookups(
    _ connection: StreamConnection, db: any PostgresDatabase, latency: Duration = .zero
) async throws {
    while true {
        do {
            guard let line = try await connection.readLine() else { return }
            switch LookupRequest(line: line) {
            case .goodBye:
                return try await connection.write("Good bye\r\n")
            case .invalid(let message):
                try await connection.write(LookupRequest.errorLine(message) + "\r\n")
            case .lookUp(let code):
                let client = try await Client.with(code: code, latency: latency).first(db)
                try await connection.write(LookupRequest.answer(client, code: code) + "\r\n")
            }
        } catch let error as TransportError where error.code == .lineTooLong {
            return try await connection.write(LookupRequest.errorLine(error) + "\r\n")
        } catch let error as TransportError where error.code != .invalidUTF8 {
            throw error  // the connection itself
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            try await connection.write(LookupRequest.errorLine(error) + "\r\n")
        }
    }
}
