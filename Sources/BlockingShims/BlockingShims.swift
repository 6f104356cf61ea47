import CBlockingShims
import Glibc

/// libc's blocking calls, made to park the calling greenlet instead of blocking the reactor's thread.
///
/// There is nothing to call. An executable that links this module *defines* `poll`, `recv`, `sleep`, `getaddrinfo`, … and the dynamic
/// linker binds every library of the process to them: libpq's, libcurl's or a Redis client's own waiting gives way to other
/// greenlets, unmodified.
/// ```swift
/// let greenlet = Greenlet.spawn {                        // a synchronous body: it has a stack that can be parked
///     let connection = PQconnectdb(conninfo)             // the other greenlets run meanwhile
///     defer { PQfinish(connection) }
///     return PQntuples(PQexec(connection, "select pg_sleep(1)"))
/// }
/// ```
/// **Where.** In synchronous code of a greenlet: `Greenlet.spawn`, `deferToGreenlet` with a synchronous closure. Everywhere else, the
/// loop, `async` code, other threads, each function is libc's own behind one thread-local read. On the reactor's thread what closes
/// descriptors also tells those who wait for them. libc's own it is, too, and blocks the loop, in a callback that a greenlet's code
/// sets off and that runs in a task of its own: one that was added to a `Deferred` where task-local values were bound, the first
/// step of a `Task.immediate`.
///
/// **What a caller sees** is what it sees of libc: a descriptor in blocking mode waits, and writes all it was given; one with
/// `O_NONBLOCK` answers `EAGAIN`; `SO_RCVTIMEO` and `SO_SNDTIMEO`, `MSG_DONTWAIT`, `MSG_WAITALL`, `MSG_PEEK` mean what they mean; `errno`
/// is the greenlet's own and untouched by success. `EINTR` comes only from signals, never from parking. A `poll` with time-out
/// zero lets others run once.
///
/// **Close.** Whoever waits for a descriptor that `close`, `dup2` onto it, `close_range`, `fclose` or `freopen` ends, wherever on the
/// reactor's thread they are called, is woken with `EBADF`: greenlets in any call of libc's (`poll` reports `POLLNVAL`), and tasks in
/// `reactor.waitUntilReadable` and its relatives; callbacks of `addReader` and `addWriter` are dropped. None of them gets what
/// the next file of the number has to say. What another thread closes the reactor cannot see: a greenlet goes on waiting until somebody
/// on the reactor's thread waits for the number anew (see `waitUntilReadable`), and one in a `poll` of several until that ends otherwise.
/// A signal handler that interrupts the reactor's thread must not close what somebody waits for.
///
/// **Kill and time-out.** C frames cannot be unwound. A call parked in a killed greenlet returns −1 with `ECANCELED` (after a time-out
/// `ETIMEDOUT`), and so does each later one that would wait, until the library has returned to Swift, where the error is thrown.
/// Calls that need not wait still work, so a library can say goodbye to its server. The command of a killed `system` is killed, that of
/// a `pclose` lives on and is fetched later.
///
/// **Files.** What the page cache holds is read at once; else `read`, `write`, `fsync` and `open` on a disk run on a worker thread of the
/// reactor while the greenlet is parked. They use the caller's memory and make descriptors, so a kill waits for their end: their result
/// is true, and the next call that would wait fails. As between threads, calls of several greenlets for one file are unordered, and a
/// descriptor must not be closed under a call. Files of /proc, /sys and memory file systems stay on the reactor's thread. Opening
/// a FIFO parks until somebody has opened its other end, and is ended by a kill.
///
/// **Streams.** stdio on pipes, sockets and terminals parks before glibc would read or write, and again in the middle of a line or
/// block. A call of one greenlet is whole among those of others on the same stream; code of a plain thread may come between its steps.
/// As after every write that fails, what a killed greenlet could not flush is dropped. Not covered: `fscanf` and relatives, which parse
/// inside glibc while they read; wide characters; `fflush(NULL)`; `fopen`; `flockfile` between greenlets, as it locks for a thread.
///
/// **What is covered** is ``functions``, one public function each. Not covered:
/// - glibc's internal calls. They do not go through public symbols and cannot be interposed: `syslog`, `perror`, NSS
///   lookups such as `getpwuid_r` block the loop. A resolver call is covered because it goes to a worker thread as a whole.
/// - Raw system calls (`syscall(2)`), as Go and some Rust libraries make them.
/// - Files by other ways than `open`, `read`, `write` and relatives and `fsync`: `stat`, `unlink`, `rename`, directories, `fopen`, stdio on
///   regular files, page faults of `mmap`. They run on the reactor's thread.
/// - A wait for stopped or continued children is a question every 20 ms; one for any child or a group sees at once only children made
///   before it, others within 100 ms. Children under `ptrace` are asked for in naps.
/// - `SIGCHLD` is not blocked while `system` waits: a handler that fetches every child takes the command's status, too.
/// - The order of waiters for a file lock, and `EDEADLK`: a lock is asked for again at least every 32 ms, not waited for in the kernel,
///   since a lock that came after a kill would be nobody's.
/// - Of the waits for threads: `pthread_barrier_wait`, `pthread_once` and `call_once` (an initialiser that parks must not be entered
///   by a second greenlet of the thread), spin locks, Swift's `Mutex` and other locks made of futexes; in a build with the thread
///   sanitizer all of them.
/// - The moment of a write to a terminal whose peer stops reading in the middle of 256 bytes, and of a character device that is
///   "ready" for less than is written.
/// - Libraries loaded with `RTLD_DEEPBIND`, or linked with `-Bsymbolic` to a libc of their own; statically linked executables, where
///   `dlsym` finds no original: do not link this module into one.
///
/// **Switches.** ``active`` says which areas of libc park, from `REACTOR_SHIMS` or as the program sets it; ``original(_:)`` gives
/// libc's own functions to code that wants to block.
///
/// **Locks and conditions.** A pthread or C11 mutex, a read-write lock, a condition, a semaphore that another greenlet of the thread
/// has to give parks the greenlet that waits, and so does one of another thread, after 50 ms of waiting as libc does (after 100 ms
/// for a greenlet that holds a lock already: parked, it could block the loop for ever). Recursive and error-checking mutexes
/// belong to a greenlet, not to its thread. What the other thread releases without a public function of libc (inside
/// `pthread_cond_wait`, or from another process) is seen within 16 ms; a semaphore posted by another process within 128 ms.
/// Neither kill nor time-out ends the wait for a lock or for a thread's end: callers go on as if they had it. A wait for a condition
/// returns `ECANCELED` (`ETIMEDOUT`) with the mutex held, after a pause of 10 ms, so a caller that only looks at its condition looks
/// again and again until that is true. Greenlets of a thread that wait for each other's mutexes, or for what is locked for writing,
/// are reported as a deadlock (see `DeadlockError`) and wait on; a lock that code off greenlets or another thread has given back
/// or taken is never part of one. To code off greenlets a lock that a greenlet holds is locked: `async` code that waits for
/// it blocks the loop and with it the greenlet.
///
/// **Children.** In the child of a `fork` made by a greenlet that greenlet's calls block, as libc's do: its reactor stayed in the parent.
/// Greenlets that the child starts, on a reactor that it runs (see `Reactor`), park as here. On a reactor's thread `vfork` is `fork`,
/// since a child that shared its memory would close and wait in the parent's reactor; so does one made by `clone` with `CLONE_VM`,
/// which is not covered.
///
/// A signal handler that interrupts a greenlet runs as part of it: write there to `O_NONBLOCK` descriptors only, or use
/// `reactor.signals(_:)`. On a blocking descriptor `connect`, `accept` and a stream's reading set `O_NONBLOCK` for the microsecond
/// of the system call.
public enum BlockingShims {
    /// One interposed function of libc.
    public struct Function: Sendable, Hashable {
        /// The symbol, as `nm -D` shows it.
        public let name: String
        /// The part of libc: the name of an ``Area``.
        public let area: String
        /// What a call does in a greenlet.
        public let behaviour: String
    }

    /// Every function that is interposed, grouped by area. Any thread.
    public static let functions: [Function] = (0..<cbs_shim_count()).map { index in
        let shim = cbs_shim_at(index).pointee
        return Function(
            name: String(cString: shim.name), area: String(cString: shim.area),
            behaviour: String(cString: shim.behaviour))
    }

    /// The names of `functions`. Any thread.
    public static var names: [String] { functions.map(\.name) }

    /// Whether libraries of this process call the shims: the executable exports every one of `functions`, and hooks are there.
    ///
    /// False in an executable that was linked without this module's C objects, or that hides its symbols. Any thread.
    /// - Complexity: O(number of functions) symbol lookups.
    public static var isActive: Bool {
        // A null handle is RTLD_DEFAULT: what the dynamic linker itself would find.
        cbs_has_hooks() != 0
            && (0..<cbs_shim_count()).allSatisfy { index in
                let shim = cbs_shim_at(index).pointee
                return dlsym(nil, shim.name) == shim.replacement
            }
    }

    /// Whether the calling code's blocking calls park: synchronous code of a greenlet runs it, in the greenlet's own task, and
    /// hooks are there. Any thread.
    public static var isParking: Bool { cbs_is_parking() != 0 }
}
