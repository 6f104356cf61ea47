import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct TableTests {
    static let shims = (0..<cbs_shim_count()).map { (index: $0, shim: cbs_shim_at($0).pointee) }
    static let names = shims.map { String(cString: $0.shim.name) }

    @Test(arguments: TableTests.names)
    func executableExportsTheShimBeforeLibc(name: String) throws {
        let shim = try #require(Self.shims.first { String(cString: $0.shim.name) == name })
        // RTLD_DEFAULT is how the dynamic linker binds a library's reference: the executable first.
        #expect(dlsym(nil, name) == shim.shim.replacement)
    }

    @Test(arguments: TableTests.names)
    func originalIsLibcs(name: String) throws {
        let shim = try #require(Self.shims.first { String(cString: $0.shim.name) == name })
        let original = try #require(cbs_original_at(shim.index))
        #expect(original != shim.shim.replacement)
        let libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD)
        #expect(original == dlsym(libc, name))
    }

    @Test(.enabled(if: shimsThreads)) func originalIsTheVersionThatHeadersMean() throws {
        // glibc has an older one of these, for another layout of the object.
        let libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD)
        let dlvsym = symbol("dlvsym", as: VersionedSymbol.self)
        for (index, shim) in Self.shims where String(cString: shim.name).hasPrefix("pthread_cond_") {
            let name = String(cString: shim.name)
            guard let old = dlvsym(libc, name, "GLIBC_2.2.5") else { continue }
            #expect(cbs_original_at(index) != old)
            #expect(cbs_original_at(index) == dlvsym(libc, name, "GLIBC_2.3.2"))
        }
    }

    @Test func namesAreUniqueAndDescribed() {
        #expect(Set(Self.names).count == Self.names.count)
        #expect(Self.shims.allSatisfy { !String(cString: $0.shim.behaviour).isEmpty })
        #expect(
            Set(Self.shims.map { String(cString: $0.shim.area) })
                == ([
                    "timer", "poll", "socket", "io", "name", "process", "file", "lock", "stdio",
                ] as Set).union(shimsThreads ? ["thread"] : []))
    }

    @Test func outOfRangeIsNull() {
        #expect(cbs_shim_at(cbs_shim_count()) == nil)
        #expect(cbs_original_at(cbs_shim_count()) == nil)
    }

    @Test func offFibersNoHookIsCalled() {
        // With hooks installed for the thread, but no fiber running.
        let pair = Pair.sockets()
        var byte: UInt8 = 7
        let scheduler = onFiber { _ in }
        #expect(send(pair.second, &byte, 1, 0) == 1)
        #expect(recv(pair.first, &byte, 1, 0) == 1)
        #expect(usleep(1) == 0)
        #expect(scheduler.waits.isEmpty && scheduler.sleeps.isEmpty)
    }
}
