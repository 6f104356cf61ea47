import CLibPQ
import Glibc

extension PostgresSession {
    /// libpq's verbose message of several lines as an error of one line.
    static func failure(
        of handle: OpaquePointer, _ configuration: PostgresConfiguration, _ attempt: ConnectionAttempt
    ) -> PostgresError {
        var (message, report) = ConnectFailureText.parse(String(cString: PQerrorMessage(handle)))
        if report == nil, attempt.isVerifiedByDefault(configuration),
            message.contains("SSL") || message.contains("certificate")
        {
            message += "; a host that is not local has to prove who it is unless sslmode says otherwise"
        }
        if report?.sqlState == .invalidPassword, PQconnectionUsedPassword(handle) == 1,
            option("password", of: handle) == nil, let file = option("passfile", of: handle)
        {
            message += "; the password is from \(file)"
        }
        let isPasswordMissing = PQconnectionNeedsPassword(handle) == 1
        if isPasswordMissing { message += "; \(passwordAdvice(handle))" }
        return PostgresError(
            .connectFailed, "cannot connect to \(configuration.redactedDescription): \(message)",
            server: report, underlying: isPasswordMissing ? PostgresPasswordMissing() : nil)
    }

    /// Where a password is looked for, and why the file may have been passed over: libpq says that to standard error only.
    private static func passwordAdvice(_ handle: OpaquePointer) -> String {
        guard let file = option("passfile", of: handle) else { return "the server wants a password" }
        var status = stat()
        guard stat(file, &status) == 0 else { return "the server wants a password, and there is no \(file)" }
        guard status.st_mode & S_IFMT == S_IFREG, access(file, R_OK) == 0 else {
            return "the server wants a password, and \(file) cannot be read"
        }
        guard status.st_mode & 0o077 == 0 else {
            return "\(file) was passed over, because others than its owner may use it: chmod 600"
        }
        return "the server wants a password, and \(file) has no line for this host, port, database and user"
    }

    /// What libpq goes by, wherever it is from; nil for nothing.
    private static func option(_ name: String, of handle: OpaquePointer) -> String? {
        guard let options = PQconninfo(handle) else { return nil }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            if strcmp(keyword, name) == 0 {
                return option.pointee.val.map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
            }
            option += 1
        }
        return nil
    }
}

/// Marks a connect that failed because the server wants a password and there is none: libpq itself gives up then, and there is no
/// report of the server's.
struct PostgresPasswordMissing: Error {}
