import Glibc

/// A value of `errno`, kept before another call overwrites it.
struct ErrorNumber: Equatable {
    let value: Int32

    /// The calling thread's `errno`.
    static var current: ErrorNumber { ErrorNumber(value: errno) }

    var text: String { strerror(value).map { String(cString: $0) } ?? "error \(value)" }

    /// `call` failed on `path` for this reason.
    func error(
        _ call: String, _ path: String, code: LocalPostgresError.Code = .systemCall
    ) -> LocalPostgresError {
        LocalPostgresError(code, "\(call) \(path): \(text)")
    }
}
