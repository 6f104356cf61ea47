import COpenSSL
import NIOCore

/// TLS without a network: bytes from the wire go in, bytes for the wire come out. OpenSSL over a pair of memory BIOs.
///
/// No call waits. Each begins with an empty error queue: the queue is the thread's, and another connection's error left in it would
/// be taken for ours.
final class TLSSession {
    enum Step {
        /// Done, or for reads: these bytes.
        case done
        /// Nothing to be had before more comes from the wire.
        case wantsInput
        /// The peer has closed its side in order (close_notify).
        case closed
        /// Broken for good; why.
        case failed(String)
    }

    private let ssl: OpaquePointer
    private let fromWire: OpaquePointer
    private let toWire: OpaquePointer
    private let context: TLSContext

    /// - Parameter serverName: for clients: the name, or address, that the certificate must be for.
    init?(_ context: TLSContext, serverName: String?) {
        ERR_clear_error()
        guard let ssl = SSL_new(context.pointer), let input = BIO_new(BIO_s_mem()),
            let output = BIO_new(BIO_s_mem())
        else { return nil }
        self.ssl = ssl
        self.context = context
        fromWire = input
        toWire = output
        SSL_set_bio(ssl, input, output)  // owns both from here on
        switch context.side {
        case .server: SSL_set_accept_state(ssl)
        case .client:
            SSL_set_connect_state(ssl)
            guard let serverName else { return }
            if (try? SocketAddress(ipAddress: serverName, port: 0)) != nil {
                // Addresses are looked for in the certificate's IP entries, and never sent as a name (RFC 6066).
                guard !context.verifies || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), serverName) == 1
                else { return nil }
            } else {
                guard copenssl_set_server_name(ssl, serverName) == 1 else { return nil }
                guard !context.verifies || SSL_set1_host(ssl, serverName) == 1 else { return nil }
            }
        }
    }

    deinit { SSL_free(ssl) }

    /// `TLSv1.3`, once agreed on.
    var version: String { String(cString: SSL_get_version(ssl)) }

    /// The application protocol agreed on, if one was.
    var applicationProtocol: String? {
        var bytes: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &bytes, &count)
        guard let bytes, count > 0 else { return nil }
        return String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
    }

    /// Takes bytes from the wire.
    func receive(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { raw in
            // A memory BIO takes everything or the process is out of memory.
            _ = BIO_write(fromWire, raw.baseAddress, Int32(raw.count))
        }
    }

    /// Bytes from the wire that no record is made of: behind the peer's close_notify they are not TLS's.
    func takeInput() -> [UInt8] {
        let count = BIO_ctrl_pending(fromWire)
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = Int(max(0, BIO_read(fromWire, buffer.baseAddress, Int32(count))))
        }
    }

    /// Bytes for the wire, if there are any.
    func takeOutput() -> ByteBuffer? {
        let count = BIO_ctrl_pending(toWire)
        guard count > 0 else { return nil }
        var bytes = ByteBuffer()
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { raw in
            Int(max(0, BIO_read(toWire, raw.baseAddress, Int32(count))))
        }
        return bytes
    }

    /// Goes on with the handshake.
    func handshake() -> Step {
        ERR_clear_error()
        return step(SSL_do_handshake(ssl))
    }

    /// Appends decrypted bytes, 16 KiB at most.
    func read(into buffer: inout ByteBuffer) -> Step {
        ERR_clear_error()
        var result: Int32 = 0
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 16_384) { raw in
            result = SSL_read(ssl, raw.baseAddress, 16_384)
            return Int(max(0, result))
        }
        return step(result)
    }

    /// Encrypts bytes. After the handshake only.
    func write(_ bytes: ByteBuffer) -> Step {
        var rest = bytes
        while rest.readableBytes > 0 {
            ERR_clear_error()
            // In bounds of C's int; one record is 16 KiB anyway.
            let count = min(rest.readableBytes, 1 << 30)
            let written = rest.withUnsafeReadableBytes { SSL_write(ssl, $0.baseAddress, Int32(count)) }
            guard written > 0 else { return step(written) }
            rest.moveReaderIndex(forwardBy: Int(written))
        }
        return .done
    }

    /// Makes the close_notify that ends our side.
    func closeWriting() {
        ERR_clear_error()
        _ = SSL_shutdown(ssl)
        ERR_clear_error()
    }

    private func step(_ result: Int32) -> Step {
        if result > 0 { return .done }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wantsInput
        case SSL_ERROR_ZERO_RETURN: return .closed
        default:
            let verification = SSL_get_verify_result(ssl)
            guard context.verifies, verification != Int(X509_V_OK) else {
                return .failed(takeOpenSSLErrors())
            }
            ERR_clear_error()
            return .failed(
                "the certificate is refused: \(String(cString: X509_verify_cert_error_string(verification)))")
        }
    }
}
