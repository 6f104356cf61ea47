import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct CorkTests {
    @Test func aCorkedSocketNeitherSendsNorReceives() {
        let pair = Pair.sockets()
        #expect(send(pair.second, "ab", 2, 0) == 2)
        var byte: UInt8 = 0

        clinux_cork(pair.first)
        let sent = send(pair.first, "c", 1, 0)
        let sendError = errno
        let received = recv(pair.first, &byte, 1, 0)
        let receiveError = errno
        clinux_uncork()

        #expect(sent == -1 && sendError == EAGAIN && received == -1 && receiveError == EAGAIN)
        #expect(recv(pair.first, &byte, 1, 0) == 1 && byte == UInt8(ascii: "a"))
        #expect(recv(pair.second, &byte, 1, Int32(MSG_DONTWAIT)) == -1, "nothing had been sent")
        #expect(send(pair.first, "d", 1, 0) == 1)
        #expect(recv(pair.second, &byte, 1, 0) == 1 && byte == UInt8(ascii: "d"))
    }

    @Test func otherSocketsAreNotCorked() {
        let (corked, other) = (Pair.sockets(), Pair.sockets())
        var byte: UInt8 = 0
        clinux_cork(corked.first)
        let sent = send(other.first, "a", 1, 0)
        let received = recv(other.second, &byte, 1, 0)
        clinux_uncork()
        #expect(sent == 1 && received == 1 && byte == UInt8(ascii: "a"))
    }

    @Test func theCorkIsTheThreadsOwn() throws {
        let pair = Pair.sockets()
        var thread = pthread_t()
        clinux_cork(pair.first)
        let descriptor = UnsafeMutableRawPointer(bitPattern: Int(pair.first))
        let error = pthread_create(
            &thread, nil, { send(Int32(Int(bitPattern: $0)), "a", 1, 0) == 1 ? $0 : nil }, descriptor)
        try #require(error == 0)
        var result: UnsafeMutableRawPointer?
        pthread_join(thread, &result)
        clinux_uncork()
        #expect(result == descriptor)
    }

    @Test func whatIsNoDescriptorIsStillRefused() {
        clinux_cork(-1)
        let sent = send(-1, "a", 1, 0)
        let error = errno
        clinux_uncork()
        #expect(sent == -1 && error == EBADF)
    }
}
