import CLinux
import Glibc

/// The names under which glibc exports one and the same call: `__poll` is `poll`, `__pread64_chk` a `pread`, `_IO_puts` a `puts`.
enum SecondNames {
    /// What all names of a call have in common.
    static func stem(_ name: String) -> String {
        var stem = Substring(name)
        for prefix in ["_IO_", "__libc_", "__isoc99_", "__isoc23_"] where stem.hasPrefix(prefix) {
            stem = stem.dropFirst(prefix.count)
        }
        if stem.hasPrefix("__") {
            stem = stem.dropFirst(2)
            if stem.hasSuffix("_2") { stem = stem.dropLast(2) }  // __open64_2
        }
        for suffix in ["_chk", "_unlocked", "_nocancel", "_time64"] where stem.hasSuffix(suffix) {
            stem = stem.dropLast(suffix.count)
        }
        if stem.hasSuffix("64v2") { return stem.dropLast(4) + "2" }  // preadv64v2
        return String(stem.hasSuffix("64") ? stem.dropLast(2) : stem)
    }

    /// The names among `functions` of calls that may block, or have a shim because others wait for them.
    static func ofCalls(among functions: Set<String>) -> Set<String> {
        functions.filter { stems.contains(stem($0)) }
    }

    /// Whether `name` has a shim, or there is a reason against one. A reason against a call holds for all its names.
    static func isCovered(_ name: String) -> Bool {
        let stem = stem(name)
        return shims.contains(name) || BlockingCalls.exempt.contains(name)
            || exemptStems.contains(stem) && !shimStems.contains(stem)
    }

    static let stems = Set(BlockingCalls.names.map(stem)).union(shimStems)

    private static let shims = Set(TableTests.names)
    private static let shimStems = Set(shims.map(stem))
    private static let exemptStems = Set(BlockingCalls.exempt.map(stem))

    /// Names that have no shim though another one of the call has, each group with the reason.
    static let exemptions: [(reason: String, functions: String)] = [
        (
            "kept for programs linked with a glibc before 2.34: no linker makes an executable export these names",
            """
            __pthread_mutex_lock __pthread_mutex_trylock __pthread_mutex_unlock __pthread_rwlock_rdlock
            __pthread_rwlock_wrlock __pthread_rwlock_tryrdlock __pthread_rwlock_trywrlock __pthread_rwlock_unlock
            __res_query __res_search __res_querydomain
            """
        ),
        (
            "no second name: it reads a line into a buffer of its caller's, for libraries of before 2000",
            "_IO_getline"
        ),
    ]

    /// The file of the C library that runs.
    static func pathOfLibc() throws -> String {
        // What dladdr(3) fills: the file's name comes first of four words.
        typealias Locate =
            @convention(c) (UnsafeRawPointer, UnsafeMutablePointer<UnsafePointer<CChar>?>) -> Int32
        var information = [UnsafePointer<CChar>?](repeating: nil, count: 4)
        let libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD)
        guard let place = dlsym(libc, "gnu_get_libc_version"),
            symbol("dladdr", as: Locate.self)(place, &information) != 0, let path = information[0]
        else { throw ELFFile.Malformed(message: "the file of libc cannot be told") }
        return String(cString: path)
    }
}
