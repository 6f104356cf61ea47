import CBlockingShims
import CLinux
import Glibc
import Testing

/// Which of libc's blocking calls the libraries make that people use, and that each of them has a shim or a reason.
@Suite(.enabled(if: shimsThreads && BlockingShimsList.contains("pthread_join"))) struct CoverageTests {
    /// Client libraries with a blocking API, from Debian; the numbers in their names change with the releases.
    static let libraries = [
        "libpq.so.5", "libcurl.so.4", "libhiredis.so.", "libldap", "libmariadb.so.3", "libssh2.so.1",
        "libmemcached.so.11",
        "librabbitmq.so.4",
    ]

    @Test(arguments: CoverageTests.libraries)
    func everyBlockingCallOfTheLibraryHasAShimOrAReason(library: String) throws {
        let path = try #require(
            Self.path(of: library), "\(library) is not installed; Scripts/test installs what the tests need")
        let symbols = try DynamicSymbols(ofFile: path).undefined
        let blocking = SecondNames.ofCalls(among: symbols)
        let uncovered = blocking.filter { !SecondNames.isCovered($0) }
        #expect(uncovered.isEmpty, "\(library) calls \(uncovered.sorted()), which would block the loop")
        // A reader that finds nothing would pass the test above.
        #expect(symbols.contains("__errno_location"))
        #expect(blocking.isSuperset(of: library.hasPrefix("libmemcached") ? ["poll", "connect"] : ["close"]))
    }

    @Test func everyNameThatLibcExportsForABlockingCallHasAShimOrAReason() throws {
        let functions = try DynamicSymbols(ofFile: SecondNames.pathOfLibc()).functions
        let names = BlockingCalls.names.union(SecondNames.ofCalls(among: functions))
        let uncovered = names.filter { !SecondNames.isCovered($0) }
        #expect(uncovered.isEmpty, "no shim, no reason: \(uncovered.sorted())")
        // A reader that finds nothing, or glibc's own affairs, would pass or fail the test above without a reason.
        #expect(functions.isSuperset(of: ["poll", "__read", "_IO_puts", "pthread_mutex_lock", "malloc"]))
        #expect(functions.isDisjoint(with: ["__libc_fork", "__poll_nocancel", "environ"]))
    }

    @Test(arguments: [
        ("__poll", "poll"), ("__pread64_chk", "pread"), ("preadv64v2", "preadv2"), ("_IO_puts", "puts"),
        ("__open64_2", "open"), ("__fgets_unlocked_chk", "fgets"), ("__isoc23_scanf", "scanf"),
        ("dup2", "dup2"),
        ("__dup2", "dup2"), ("_Fork", "_Fork"), ("poll", "poll"),
    ])
    func namesOfOneCallHaveOneStem(name: String, stem: String) {
        #expect(SecondNames.stem(name) == stem)
    }

    @Test func reasonsAreGivenForWhatHasNoShimOnly() {
        let stale = BlockingCalls.exempt.intersection(TableTests.names)
        #expect(stale.isEmpty, "there are shims now for \(stale.sorted())")
        let unknown = BlockingCalls.exempt.filter { !SecondNames.stems.contains(SecondNames.stem($0)) }
        #expect(unknown.isEmpty, "not in the list of blocking calls: \(unknown.sorted())")
        #expect((BlockingCalls.exemptions + SecondNames.exemptions).allSatisfy { !$0.reason.isEmpty })
    }

    /// Where the library lies, in the directories that Debian and its relatives use.
    static func path(of library: String) -> String? {
        let machine = Self.machine
        for directory in [
            "/usr/lib/\(machine)-linux-gnu", "/lib/\(machine)-linux-gnu", "/usr/lib64", "/usr/lib",
        ] {
            guard let stream = opendir(directory) else { continue }
            defer { closedir(stream) }
            while let entry = readdir(stream) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
                }
                // "libldap" has its number before or after ".so".
                let isNumbered =
                    library == "libldap" && (name.hasPrefix("libldap-2") || name.hasPrefix("libldap.so.2"))
                if library == "libldap" ? isNumbered : name.hasPrefix(library), name.contains(".so.") {
                    return "\(directory)/\(name)"
                }
            }
        }
        return nil
    }

    private static var machine: String {
        #if arch(arm64)
            "aarch64"
        #else
            "x86_64"
        #endif
    }
}
