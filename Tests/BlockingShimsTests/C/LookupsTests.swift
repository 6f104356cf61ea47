import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct LookupsTests {
    /// What gethostbyname_r found in a buffer of `size` bytes: the error number, the names, the addresses.
    private func lookup(_ host: String, family: Int32? = nil, size: Int = 1024) -> (
        code: Int32, name: String?, addresses: [[UInt8]]
    ) {
        var entry = hostent()
        var found: UnsafeMutablePointer<hostent>?
        var hostError: Int32 = 0
        var buffer = [CChar](repeating: 0, count: size)
        return buffer.withUnsafeMutableBufferPointer { buffer in
            let code =
                if let family {
                    gethostbyname2_r(host, family, &entry, buffer.baseAddress, size, &found, &hostError)
                } else {
                    gethostbyname_r(host, &entry, buffer.baseAddress, size, &found, &hostError)
                }
            guard code == 0, let found else { return (code, nil, []) }
            // Every pointer of the answer must lie in the caller's buffer.
            let name = found.pointee.h_name!
            #expect(name >= buffer.baseAddress! && name < buffer.baseAddress! + size)
            var addresses: [[UInt8]] = []
            var next = found.pointee.h_addr_list!
            while let address = next.pointee {
                #expect(address >= buffer.baseAddress! && address < buffer.baseAddress! + size)
                addresses.append(
                    (0..<Int(found.pointee.h_length)).map { UInt8(bitPattern: address[$0]) })
                next += 1
            }
            return (0, String(cString: name), addresses)
        }
    }

    @Test func reentrantCallsAnswerAsOutsideAFiber() {
        let outside = lookup("localhost", family: AF_INET)
        #expect(outside.addresses == [[127, 0, 0, 1]])
        let scheduler = onFiber { _ in
            errno = ENOENT
            #expect(lookup("localhost", family: AF_INET) == outside)
            #expect(lookup("localhost").addresses == outside.addresses)
            #expect(errno == ENOENT)
        }
        #expect(scheduler.offloads == 2)
    }

    @Test func smallBufferIsERANGE() {
        onFiber { _ in #expect(lookup("localhost", size: 8).code == ERANGE) }
    }

    @Test func numericHostsAreAnsweredAtOnce() {
        let scheduler = onFiber { _ in #expect(lookup("127.0.0.7").addresses == [[127, 0, 0, 7]]) }
        #expect(scheduler.offloads == 0)
    }

    @Test func addressesAreLookedUpOnAWorker() {
        var address: [UInt8] = [127, 0, 0, 1]
        let outside = gethostbyaddr(&address, 4, AF_INET).map { String(cString: $0.pointee.h_name) }
        let scheduler = onFiber { _ in
            var address: [UInt8] = [127, 0, 0, 1]
            let found = gethostbyaddr(&address, 4, AF_INET)
            #expect(found.map { String(cString: $0.pointee.h_name) } == outside)
            #expect(found?.pointee.h_addr_list?[0]?[0] == 127)
        }
        #expect(scheduler.offloads >= 1)
    }

    @Test func endedFiberLeavesTheWorkerItsOwnCopies() {
        let scheduler = FakeScheduler()
        scheduler.failure = ECANCELED
        scheduler.keepsWork = true
        scheduler.run {
            #expect(lookup("localhost").code == ECANCELED)
            var address: [UInt8] = [127, 0, 0, 1]
            #expect(gethostbyaddr(&address, 4, AF_INET) == nil)
            #expect(errno == ECANCELED)
            var answer = [UInt8](repeating: 0, count: 512)
            #expect(query("localhost.", &answer) == -1)
            #expect(errno == ECANCELED)
        }
        #expect(scheduler.keptWork.count == 3)
        // The fiber is gone; the first two finish now. The third would ask a name server.
        scheduler.keptWork[0]()
        scheduler.keptWork[1]()
        scheduler.keptWork[2].drop()
    }

    @Test(arguments: [true, false])
    func reentrantReverseLookupFillsTheCallersBuffer(isOnFiber: Bool) {
        typealias Function =
            @convention(c) (
                UnsafePointer<UInt8>, socklen_t, Int32, UnsafeMutablePointer<hostent>,
                UnsafeMutablePointer<CChar>, Int, UnsafeMutablePointer<UnsafeMutablePointer<hostent>?>,
                UnsafeMutablePointer<Int32>
            ) -> Int32
        let lookup = symbol("gethostbyaddr_r", as: Function.self)
        func check() {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: 4096)
            defer { buffer.deallocate() }
            var entry = hostent()
            var found: UnsafeMutablePointer<hostent>?
            var hostError: Int32 = 0
            var address: [UInt8] = [127, 0, 0, 1]
            #expect(lookup(&address, 4, AF_INET, &entry, buffer, 4096, &found, &hostError) == 0)
            #expect(found?.pointee.h_addr_list[0]?[0] == 127)
            #expect(found.map { $0.pointee.h_name >= buffer && $0.pointee.h_name < buffer + 4096 } == true)
            #expect(lookup(&address, 4, AF_INET, &entry, buffer, 4, &found, &hostError) == ERANGE)
            #expect(found == nil)
        }
        let scheduler = onFiber { _ in if isOnFiber { check() } }
        if !isOnFiber { check() }
        #expect(scheduler.offloads == (isOnFiber ? 2 : 0))
    }

    @Test(arguments: ["res_query", "res_search", "res_querydomain"])
    func queriesGoToAWorker(function: String) {
        // A name that is too long is refused before anybody is asked.
        let name = String(repeating: "a", count: 300)
        var answer = [UInt8](repeating: 0, count: 512)
        #expect(query(name, &answer, function) == -1)
        let scheduler = onFiber { _ in
            var answer = [UInt8](repeating: 0, count: 512)
            #expect(query(name, &answer, function) == -1)
        }
        #expect(scheduler.offloads == 1)
    }

    private func query(_ name: String, _ answer: inout [UInt8], _ function: String = "res_query") -> Int32 {
        typealias Query =
            @convention(c) (UnsafePointer<CChar>, Int32, Int32, UnsafeMutablePointer<UInt8>, Int32) -> Int32
        typealias DomainQuery =
            @convention(c) (
                UnsafePointer<CChar>, UnsafePointer<CChar>, Int32, Int32, UnsafeMutablePointer<UInt8>, Int32
            ) -> Int32
        let size = Int32(answer.count)
        if function == "res_querydomain" {
            return symbol(function, as: DomainQuery.self)(name, "invalid", 1, 1, &answer, size)
        }
        return symbol(function, as: Query.self)(name, 1, 1, &answer, size)
    }
}
