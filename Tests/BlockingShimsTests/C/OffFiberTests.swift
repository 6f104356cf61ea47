import CLinux
import Glibc
import Testing

/// Calls off fibers, where they are libc's.
@Suite struct OffFiberTests {
    @Test func connectingOverTCPSucceedsOrIsRefused() {
        let listener = LoopbackListener()
        let deaf = LoopbackListener(backlog: nil)
        for (address, code) in [(listener.address, 0), (deaf.address, ECONNREFUSED)] {
            let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(client) }
            errno = 0
            #expect(withAddress(address) { connect(client, $0, $1) } == (code == 0 ? 0 : -1))
            #expect(errno == code && !isNonblocking(client))
        }
        let accepted = accept(listener.fd, nil, nil)
        #expect(accepted >= 0)
        close(accepted)
    }

    @Test func namesAreLookedUpOnTheThread() {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = UInt16(80).bigEndian
        var (host, service) = ([CChar](repeating: 0, count: 256), [CChar](repeating: 0, count: 64))
        #expect(withAddress(address) { getnameinfo($0, $1, &host, 256, &service, 64, 0) } == 0)
        #expect(host[0] != 0 && service[0] != 0)
        #expect(
            withAddress(address) { getnameinfo($0, $1, &host, 3, nil, 0, NI_NUMERICHOST) } == EAI_OVERFLOW)
        // Not gethostbyname: its one answer is another test's.
        #expect(gethostbyname2("localhost", AF_INET)?.pointee.h_addr_list?[0]?[0] == 127)
        #expect(gethostbyname2("::1", AF_INET6)?.pointee.h_length == 16)
    }
}
