import Glibc

// Functions of libc that the Glibc module does not show, by their symbols; the types are those of the manual pages.

let O_PATH: Int32 = 0o10_000_000

func sync_file_range(_ fd: Int32, _ offset: Int, _ length: Int, _ flags: UInt32) -> Int32 {
    typealias Function = @convention(c) (Int32, Int, Int, UInt32) -> Int32
    return unsafeBitCast(dlsym(nil, "sync_file_range"), to: Function.self)(fd, offset, length, flags)
}

func gettid() -> pid_t {
    typealias Function = @convention(c) () -> pid_t
    return unsafeBitCast(dlsym(nil, "gettid"), to: Function.self)()
}

func pidfd_open(_ pid: pid_t) -> Int32 {
    typealias Function = @convention(c) (pid_t, UInt32) -> Int32
    return unsafeBitCast(dlsym(nil, "pidfd_open"), to: Function.self)(pid, 0)
}

/// What fstatfs(2) says first.
func fileSystemType(of fd: Int32) -> Int {
    typealias Function = @convention(c) (Int32, UnsafeMutablePointer<Int>) -> Int32
    var system = [Int](repeating: 0, count: 64)  // several times a struct statfs
    return unsafeBitCast(dlsym(nil, "fstatfs"), to: Function.self)(fd, &system) == 0 ? system[0] : 0
}
