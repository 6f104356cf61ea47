import CLinux
import Glibc

extension Reactor {
    /// Looks up the addresses of `host`; the calling task parks. Numeric addresses never leave the loop.
    ///
    /// Names go to `getaddrinfo` on the reactor's thread pool, so `/etc/hosts`, DNS and whatever
    /// nsswitch.conf says are honoured, and addresses come in the system's order of preference (RFC 6724).
    /// - Throws: `ReactorError` with code `nameNotFound`, naming the host and what the resolver said;
    ///   `timedOut` after `timeout`; `CancellationError`. A look-up given up ends on its own and disturbs
    ///   nothing.
    @ReactorActor public func resolve(
        host: String, port: Int, timeout: Duration? = .seconds(60)
    ) async throws -> [ResolvedAddress] {
        if let numeric = try? lookUp(host, port, flags: AI_NUMERICHOST) { return numeric }
        let pool = threadPool
        guard let timeout else { return try await pool.run { try lookUp(host, port, flags: AI_ADDRCONFIG) } }
        return try await withDeadline(
            after: timeout,
            ReactorError(.timedOut, "looking up the host \"\(host)\" took longer than \(timeout)")
        ) {
            try await pool.run { try lookUp(host, port, flags: AI_ADDRCONFIG) }
        }
    }

    /// Runs `body`, cancelling it after `limit`; its end is awaited, then `error` is thrown.
    @ReactorActor package func withDeadline<Value: Sendable>(
        after limit: Duration, _ error: @autoclosure @escaping () -> ReactorError,
        _ body: @escaping @Sendable @ReactorActor () async throws -> Value
    ) async throws -> Value {
        let task = startTask { () async -> Result<Value, any Error> in
            do { return .success(try await body()) } catch { return .failure(error) }
        }
        var isOver = false
        let timer = callLater(max(.zero, limit)) {
            isOver = true
            task.cancel()
        }
        defer { timer.cancelIfActive() }
        let result = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        if case .failure = result, isOver { throw error() }
        return try result.get()
    }
}

/// getaddrinfo(3) for stream sockets. Blocks unless the host is numeric.
private func lookUp(_ host: String, _ port: Int, flags: Int32) throws(ReactorError) -> [ResolvedAddress] {
    guard (0...65_535).contains(port) else {
        throw ReactorError(.nameNotFound, "port \(port) of \"\(host)\" is not between 0 and 65535")
    }
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = flags | AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, "\(port)", &hints, &list)
    guard code == 0 else {
        let reason = code == EAI_SYSTEM ? errnoText(errno) : String(cString: gai_strerror(code))
        throw ReactorError(.nameNotFound, "the host \"\(host)\" has no address: \(reason)")
    }
    defer { freeaddrinfo(list) }
    var addresses: [ResolvedAddress] = []
    var next = list
    while let entry = next {
        next = entry.pointee.ai_next
        guard let address = entry.pointee.ai_addr else { continue }
        let length = entry.pointee.ai_addrlen
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(address, length, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0 else {
            continue
        }
        let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        addresses.append(
            ResolvedAddress(
                bytes: [UInt8](UnsafeRawBufferPointer(start: address, count: Int(length))), host: text,
                port: port))
    }
    return addresses
}
