import CLibPQ
import Glibc
import Logging
import ReactorCore

extension PostgresSession {
    /// Logs in, trying the hosts of the configuration and the addresses of each in turn, every address with its own time.
    ///
    /// - Throws: `PostgresError` with code `connectFailed` and the reason of the last attempt, in one line; `CancellationError`,
    ///   with nothing left behind.
    static func connect(_ configuration: PostgresConfiguration) async throws -> PostgresSession {
        try configuration.checkPooling()
        let reactor = Reactor.current
        var failures: [PostgresError] = []
        for attempt in try ConnectionAttempt.all(of: configuration) {
            var addresses: [String?] = [nil]
            if attempt.needsLookUp {
                let deadline = configuration.connectTimeout.map { reactor.now.advanced(by: $0) }
                do {
                    addresses = try await reactor.resolve(
                        host: attempt.host, port: 0, timeout: nil, until: deadline
                    ).map(\.host)
                } catch let error as ReactorError {
                    failures.append(
                        PostgresError(
                            .connectFailed,
                            "cannot connect to \(configuration.redactedDescription): \(error)",
                            underlying: error))
                    continue
                }
            }
            for address in addresses {
                do {
                    return try await connect(configuration, attempt, address: address, on: reactor)
                } catch let error as PostgresError {
                    failures.append(error)
                    // Other servers may share the name, and not be starting or full; but they share its accounts.
                    if error.isPermanentConnectFailure { break }
                }
            }
            // A wrong password at one host is not tried at the next, as in libpq.
            if failures.last?.isPermanentConnectFailure == true { break }
        }
        guard var error = failures.last else {
            throw PostgresError(
                .connectFailed, "cannot connect to \(configuration.redactedDescription): no address")
        }
        if failures.count > 1 { error.message += " (\(failures.count) attempts failed; this is the last)" }
        throw error
    }

    /// Logs in, and makes sure that the configuration is right about poolers.
    ///
    /// - Throws: as `connect`; `invalidConfiguration` behind a pooler in transaction mode that was not spoken of.
    static func connectAndCheck(_ configuration: PostgresConfiguration) async throws -> PostgresSession {
        let session = try await connect(configuration)
        do { try await session.checkForPooler() } catch {
            await session.close()
            throw error
        }
        return session
    }

    private static func connect(
        _ configuration: PostgresConfiguration, _ attempt: ConnectionAttempt, address: String?,
        on reactor: Reactor
    ) async throws -> PostgresSession {
        let deadline = configuration.connectTimeout.map { reactor.now.advanced(by: $0) }
        let settings = attempt.settings(of: configuration, address: address)
        guard let handle = start(settings) else {
            throw PostgresError(.connectFailed, "cannot connect: out of memory")
        }
        var isOpen = false
        defer {
            if !isOpen {
                let socket = PQsocket(handle)
                if socket >= 0 { reactor.descriptorWillClose(socket) }
                PQfinish(handle)
            }
        }
        // Verbose messages carry the SQLSTATE, which libpq 15 tells in no other way before the login is done.
        _ = PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        let notices = NoticeSink(logger: configuration.logger)
        notices.attach(to: handle)
        var status = PQstatus(handle) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while status != PGRES_POLLING_OK {
            guard status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING else {
                throw failure(of: handle, configuration, attempt)
            }
            do {
                let limit = deadline.map { max(.zero, reactor.now.duration(to: $0)) }
                // Asked anew each time: libpq opens the next socket under the number of the last.
                let socket = PQsocket(handle)
                if status == PGRES_POLLING_READING {
                    try await reactor.waitUntilReadable(socket, timeout: limit)
                } else {
                    try await reactor.waitUntilWritable(socket, timeout: limit)
                }
            } catch let error as ReactorError where error.isTimeout {
                throw PostgresError(
                    .connectFailed,
                    "cannot connect to \(configuration.redactedDescription): no answer within "
                        + "\(configuration.connectTimeout ?? .zero)", underlying: PostgresConnectTimeout())
            }
            status = PQconnectPoll(handle)
        }
        _ = PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
        guard PQsetnonblocking(handle, 1) == 0 else { throw failure(of: handle, configuration, attempt) }
        if PQsslInUse(handle) == 0, attempt.fallsBackSilently(configuration) {
            configuration.logger.warning(
                "connected to \(attempt.host) without TLS: sslmode allows it; say sslmode=verify-full to be sure of it"
            )
        }
        let session = try PostgresSession(handle, configuration, on: reactor, notices)
        isOpen = true
        return session
    }

    private static func start(_ settings: [(String, String)]) -> OpaquePointer? {
        let keywords = settings.map { strdup($0.0) }
        let values = settings.map { strdup($0.1) }
        defer { for text in keywords + values { free(text) } }
        return PQconnectStartParams(
            keywords.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 0)
    }
}
