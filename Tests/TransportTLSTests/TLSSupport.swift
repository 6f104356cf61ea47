import NIOCore
import ReactorCore
import ReactorTesting
import TestCertificates
import TransportTLS
import Transports

/// Sends back what comes.
@ReactorActor
final class Echo: ConnectionProtocol {
    var transport: (any Transport)?
    func dataReceived(_ data: ByteBuffer) { transport?.write(data) }
}

extension TestCertificate {
    /// The context of a server that shows the certificate.
    func serverContext(_ protocols: [String] = []) throws -> TLSContext {
        try .server(
            certificateChainFile: certificateFile, privateKeyFile: keyFile, applicationProtocols: protocols)
    }

    /// The context of a client that trusts it.
    func clientContext(_ protocols: [String] = []) throws -> TLSContext {
        try .client(trustRootsFile: certificateFile, applicationProtocols: protocols)
    }
}
