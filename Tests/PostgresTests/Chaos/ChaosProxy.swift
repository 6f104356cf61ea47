import Glibc
import Greenlets
import ReactorCore

/// Stands between a client and its server, and does to the bytes what a bad network does. Runs on the reactor of the test.
@ReactorActor
final class ChaosProxy {
    /// What happens to the bytes.
    enum Fault {
        /// They go through.
        case none
        /// They go through in pieces of a few bytes.
        case sliced
        /// They wait.
        case stalled
        /// Nobody is there: new connections are ended at once. Those that are there stay.
        case absent
        /// New connections get no answer, then or ever. Those that are there stay.
        case silent
    }

    /// A directory with a socket: the client's `host`.
    let directory: String
    var fault = Fault.none {
        didSet { change.set() }
    }
    /// Called with what a client has sent, before the server gets it; true cuts the connection behind it.
    var cutsAfter: (@ReactorActor (ArraySlice<UInt8>) -> Bool)?
    private(set) var accepted = 0

    private let server: String
    private let listener: Int32
    private var change = Event()
    private var links: [Int: Link] = [:]
    private var acceptor: Greenlet<Void>?
    /// Connections that get no answer.
    private var unanswered: [Int32] = []

    @ReactorActor private final class Link {
        let ends: [Int32]
        var pumps: [Greenlet<Void>] = []
        var isCut = false

        init(_ ends: [Int32]) { self.ends = ends }
    }

    /// - Parameter server: the directory with the server's socket.
    init(before server: String) throws {
        var template = Array("/tmp/green-proxy-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(call: "mkdtemp") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.server = server
        listener = try Self.makeSocket()
        guard Self.withAddress("\(directory)/.s.PGSQL.5432", { bind(listener, $0, $1) }) == 0,
            listen(listener, 256) == 0
        else { throw Failure(call: "bind") }
        acceptor = Greenlet.spawn { () async throws in try await self.accept() }
    }

    /// Ends every connection at once; new ones are taken.
    func cut() {
        for link in links.values { cut(link) }
    }

    /// Ends everything and removes the socket.
    func close() async throws {
        try await acceptor?.kill()
        cut()
        while let link = links.first?.value { for pump in link.pumps { _ = try await pump.join() } }
        for client in unanswered { Glibc.close(client) }
        unanswered = []
        reactor.descriptorWillClose(listener)
        Glibc.close(listener)
        unlink("\(directory)/.s.PGSQL.5432")
        rmdir(directory)
    }

    struct Failure: Error {
        let call: String
        let number = errno
    }

    private func accept() async throws {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else {
                try await reactor.waitUntilReadable(listener)
                continue
            }
            _ = fcntl(client, F_SETFL, O_NONBLOCK)
            _ = fcntl(client, F_SETFD, FD_CLOEXEC)
            accepted += 1
            switch fault {
            case .absent:
                Glibc.close(client)
                continue
            case .silent:
                unanswered.append(client)
                continue
            case .none, .sliced, .stalled: break
            }
            let upstream = try Self.makeSocket()
            guard Self.withAddress("\(server)/.s.PGSQL.5432", { connect(upstream, $0, $1) }) == 0 else {
                // As a server that is not there.
                Glibc.close(client)
                Glibc.close(upstream)
                continue
            }
            let link = Link([client, upstream])
            let number = accepted
            links[number] = link
            link.pumps = [(client, upstream), (upstream, client)].map { from, to in
                Greenlet.spawn { () async throws in
                    defer { self.cut(link) }
                    try await self.pump(from, to, link, isFromClient: from == client)
                }
            }
            // The descriptors go when nobody reads them any more.
            _ = reactor.startTask {
                for pump in link.pumps { _ = try? await pump.join() }
                for end in link.ends {
                    reactor.descriptorWillClose(end)
                    Glibc.close(end)
                }
                self.links[number] = nil
            }
        }
    }

    private func cut(_ link: Link) {
        guard !link.isCut else { return }
        link.isCut = true
        for end in link.ends { shutdown(end, Int32(SHUT_RDWR)) }
        // Those that are stalled look again.
        change.set()
    }

    private func pump(_ from: Int32, _ to: Int32, _ link: Link, isFromClient: Bool) async throws {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while !link.isCut {
            let room = if case .sliced = fault { Int.random(in: 1...7) } else { buffer.count }
            let count = recv(from, &buffer, room, Int32(MSG_DONTWAIT))
            if count < 0, errno == EAGAIN {
                try await reactor.waitUntilReadable(from)
                continue
            }
            guard count > 0 else { return }
            while case .stalled = fault, !link.isCut {
                change.clear()
                try await change.wait()
            }
            let isLast = isFromClient && cutsAfter?(buffer[..<count]) == true
            var sent = 0
            while sent < count, !link.isCut {
                let written = buffer[sent..<count].withUnsafeBytes {
                    send(to, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
                }
                if written > 0 { sent += written }
                if written < 0, errno == EAGAIN { try await reactor.waitUntilWritable(to) }
                if written < 0, errno != EAGAIN { return }
            }
            if isLast { return }
        }
    }

    private static func makeSocket() throws -> Int32 {
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(call: "socket") }
        return descriptor
    }

    private static func withAddress<T>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T
    {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return withUnsafePointer(to: &address) {
            // sockaddr is how C spells any socket address.
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
