import COpenSSL
import Glibc
public import Transports

/// Certificates, keys and rules that many TLS connections share. Make one at the start and keep it.
///
/// TLS 1.2 and 1.3; nothing older. Any thread.
public final class TLSContext: @unchecked Sendable {  // proof below
    // An SSL_CTX is not changed after it was made, and OpenSSL counts its uses atomically.

    /// Which end of a connection.
    enum Side { case client, server }

    let pointer: OpaquePointer
    let side: Side
    /// Whether the peer's certificate must be right.
    let verifies: Bool
    /// What a server's choice of a protocol is made from.
    private var protocols: UnsafeMutableRawPointer?

    /// For servers: who we are.
    /// - Parameters:
    ///   - certificateChainFile: PEM; our certificate first, then those that lead to the root.
    ///   - privateKeyFile: PEM; the certificate's key, not encrypted.
    ///   - applicationProtocols: the protocols spoken over TLS, such as `h2` and `http/1.1`, the best first (ALPN). Clients that
    ///     offer only others are refused; with those that offer none, none is agreed on.
    /// - Throws: `TransportError` with code `configuration`, naming the file or protocol and the cause.
    public static func server(
        certificateChainFile: String, privateKeyFile: String, applicationProtocols: [String] = []
    ) throws(TransportError) -> TLSContext {
        let context = try TLSContext(.server, TLS_server_method(), verifies: false)
        try check("use the certificate chain \(certificateChainFile)") {
            SSL_CTX_use_certificate_chain_file(context.pointer, certificateChainFile)
        }
        try check("use the private key \(privateKeyFile)") {
            SSL_CTX_use_PrivateKey_file(context.pointer, privateKeyFile, SSL_FILETYPE_PEM)
        }
        try check("use the private key \(privateKeyFile) with \(certificateChainFile)") {
            SSL_CTX_check_private_key(context.pointer)
        }
        if let names = try wireForm(of: applicationProtocols) {
            context.protocols = names.withUnsafeBufferPointer { bytes in
                UnsafeMutableRawPointer(
                    copenssl_accept_protocols(context.pointer, bytes.baseAddress, UInt32(bytes.count)))
            }
        }
        return context
    }

    /// For clients: whom we trust.
    /// - Parameters:
    ///   - trustRootsFile: PEM certificates to trust; the system's by default.
    ///   - verify: whether the server must show a valid certificate for the name it was asked for. Without it anybody on
    ///     the way can read and change everything.
    ///   - applicationProtocols: the protocols to offer, such as `h2` and `http/1.1`, the best first (ALPN).
    /// - Throws: `TransportError` with code `configuration`, naming the file or protocol and the cause.
    public static func client(
        trustRootsFile: String? = nil, verify: Bool = true, applicationProtocols: [String] = []
    ) throws(TransportError) -> TLSContext {
        let context = try TLSContext(.client, TLS_client_method(), verifies: verify)
        if let names = try wireForm(of: applicationProtocols) {
            try check("offer the protocols \(applicationProtocols)") {
                // Of all of OpenSSL's functions this one says 0 when it has succeeded.
                SSL_CTX_set_alpn_protos(context.pointer, names, UInt32(names.count)) == 0 ? 1 : 0
            }
        }
        guard verify else { return context }
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        if let trustRootsFile {
            try check("trust the certificates of \(trustRootsFile)") {
                SSL_CTX_load_verify_locations(context.pointer, trustRootsFile, nil)
            }
        } else {
            try check("trust the system's certificates") { SSL_CTX_set_default_verify_paths(context.pointer) }
        }
        return context
    }

    private init(_ side: Side, _ method: OpaquePointer?, verifies: Bool) throws(TransportError) {
        ERR_clear_error()
        guard let pointer = SSL_CTX_new(method) else {
            throw TransportError(.configuration, "OpenSSL makes no context: \(takeOpenSSLErrors())")
        }
        self.pointer = pointer
        self.side = side
        self.verifies = verifies
        copenssl_refuse_renegotiation(pointer)
        copenssl_release_idle_buffers(pointer)
        try Self.check("require TLS 1.2") { copenssl_require_tls12(pointer) }
    }

    deinit {
        SSL_CTX_free(pointer)
        free(protocols)
    }

    /// The names as ALPN sends them, each behind its length; nil when there are none.
    private static func wireForm(of names: [String]) throws(TransportError) -> [UInt8]? {
        var bytes: [UInt8] = []
        for name in names {
            guard (1...255).contains(name.utf8.count) else {
                throw TransportError(
                    .configuration,
                    "\"\(name)\" cannot be an application protocol: its name must have 1 to 255 bytes, not \(name.utf8.count)"
                )
            }
            bytes.append(UInt8(name.utf8.count))
            bytes += name.utf8
        }
        guard bytes.count <= 65_535 else {
            throw TransportError(
                .configuration, "\(names.count) application protocols are more than TLS can send")
        }
        return bytes.isEmpty ? nil : bytes
    }

    private static func check(_ what: String, _ call: () -> Int32) throws(TransportError) {
        ERR_clear_error()
        guard call() != 1 else { return }
        throw TransportError(.configuration, "cannot \(what): \(takeOpenSSLErrors())")
    }
}

/// What OpenSSL says went wrong, and clears it. Its queue of errors belongs to the thread, hence to every connection on it.
func takeOpenSSLErrors() -> String {
    var reasons: [String] = []
    while true {
        let code = ERR_get_error()
        guard code != 0 else { break }
        var buffer = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(code, &buffer, buffer.count)
        // error:0A000086:SSL routines::certificate verify failed
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let reason = text.split(separator: ":").last.map(String.init) ?? text
        if !reasons.contains(reason) { reasons.append(reason) }
    }
    return reasons.isEmpty ? "no reason given" : reasons.joined(separator: ", ")
}
