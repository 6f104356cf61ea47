import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct NamesTests {
    private func lookup(_ host: String?, _ service: String?, flags: Int32 = 0) -> (
        code: Int32, hosts: [String]
    ) {
        var hints = addrinfo()
        hints.ai_flags = flags
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, service, &hints, &found)
        defer { if code == 0 { freeaddrinfo(found) } }
        var hosts: [String] = []
        var next = found
        while code == 0, let entry = next {
            var text = [CChar](repeating: 0, count: 64)
            getnameinfo(entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, 64, nil, 0, NI_NUMERICHOST)
            hosts.append(
                String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            next = entry.pointee.ai_next
        }
        return (code, hosts)
    }

    @Test func namesGoToAWorker() {
        let scheduler = onFiber { _ in
            errno = ENOENT
            let (code, hosts) = lookup("localhost", "http")
            #expect(errno == ENOENT)
            #expect(code == 0)
            #expect(hosts.contains("127.0.0.1") || hosts.contains("::1"))
        }
        #expect(scheduler.offloads == 1)
    }

    @Test(arguments: ["127.0.0.1", "::1"])
    func numericHostsDoNot(host: String) {
        let scheduler = onFiber { _ in
            let (code, hosts) = lookup(host, "80")
            #expect(code == 0 && hosts == [host])
            #expect(lookup(nil, "80").code == 0)
        }
        #expect(scheduler.offloads == 0)
    }

    @Test func failuresAreLibcs() {
        let outside = lookup("name.invalid", nil, flags: AI_NUMERICHOST).code
        onFiber { scheduler in
            #expect(lookup("name.invalid", nil, flags: AI_NUMERICHOST).code == outside)
            #expect(lookup(nil, nil).code == EAI_NONAME)
            #expect(lookup("127.0.0.1", nil, flags: 0x4000_0000).code == EAI_BADFLAGS)
        }
    }

    @Test func endedFiberLeavesTheWorkerItsOwnCopies() {
        let scheduler = FakeScheduler()
        scheduler.failure = ECANCELED
        scheduler.keepsWork = true
        scheduler.run {
            #expect(lookup("localhost", nil).code == EAI_SYSTEM)
            #expect(errno == ECANCELED)
            #expect(gethostbyname("localhost") == nil)
            #expect(errno == ECANCELED)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            var text = [CChar](repeating: 0, count: 64)
            #expect(withAddress(address) { getnameinfo($0, $1, &text, 64, nil, 0, 0) } == EAI_SYSTEM)
            #expect(errno == ECANCELED)
        }
        // The fiber is gone, its stack unmapped; the workers finish now.
        #expect(scheduler.keptWork.count == 3)
        for work in scheduler.keptWork { work() }
    }

    @Test func reverseLookupGoesToAWorkerUnlessNumeric() {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = UInt16(80).bigEndian
        onFiber { scheduler in
            var host = [CChar](repeating: 0, count: 64)
            var service = [CChar](repeating: 0, count: 64)
            let numeric = NI_NUMERICHOST | NI_NUMERICSERV
            #expect(withAddress(address) { getnameinfo($0, $1, &host, 64, &service, 64, numeric) } == 0)
            #expect(strcmp(host, "127.0.0.1") == 0 && strcmp(service, "80") == 0)
            #expect(scheduler.offloads == 0)
            #expect(withAddress(address) { getnameinfo($0, $1, &host, 64, &service, 64, 0) } == 0)
            #expect(strlen(host) > 0 && strlen(service) > 0)
            #expect(scheduler.offloads == 1)
            #expect(
                withAddress(address) { getnameinfo($0, $1, &host, 3, nil, 0, NI_NUMERICHOST) } == EAI_OVERFLOW
            )
        }
    }

    @Test func gethostbynameGoesToAWorkerUnlessNumeric() throws {
        onFiber { scheduler in
            for (host, offloads) in [("127.0.0.1", 0), ("localhost", 1), ("localhost", 2)] {
                let entry = gethostbyname(host)
                #expect(entry?.pointee.h_addrtype == AF_INET)
                #expect(entry?.pointee.h_length == 4)
                #expect(entry?.pointee.h_addr_list?[0]?[0] == 127)
                #expect(scheduler.offloads == offloads)
            }
        }
    }
}
