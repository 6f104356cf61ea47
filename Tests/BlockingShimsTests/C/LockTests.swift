import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct LockTests {
    typealias Fcntl = @convention(c) (Int32, Int32, UnsafeMutablePointer<flock>) -> Int32
    typealias Lockf = @convention(c) (Int32, Int32, Int) -> Int32

    /// Every way to wait for an exclusive lock on a file.
    enum Call: CaseIterable {
        case flock, lockf, lockf64, fcntl, fcntl64, openFile, openFile64

        /// Those whose locks belong to an open file, so that one process can contend with itself.
        static let ofOpenFiles: [Call] = [.flock, .openFile, .openFile64]
        /// Those whose locks are the process's.
        static let ofProcesses: [Call] = [.lockf, .lockf64, .fcntl, .fcntl64]

        static func of(_ kind: BlockingCall.Kind) -> Call { kind == .flock ? .flock : .openFile }

        /// Locks, waiting; returns 0 or −1.
        @discardableResult
        func callAsFunction(_ fd: Int32) -> Int32 { apply(fd, isUnlock: false) }

        func unlock(_ fd: Int32) { _ = apply(fd, isUnlock: true) }

        private func apply(_ fd: Int32, isUnlock: Bool) -> Int32 {
            // By symbol, since Swift's own fcntl is not libc's, and as a fixed number of arguments, which travel alike.
            func function<Type>(_ name: String, _: Type.Type) -> Type {
                unsafeBitCast(dlsym(nil, name), to: Type.self)
            }
            var range = Glibc.flock()
            range.l_type = Int16(isUnlock ? F_UNLCK : F_WRLCK)
            switch self {
            case .flock: return lockWhole(fd, isUnlock ? LOCK_UN : LOCK_EX)
            case .lockf: return function("lockf", Lockf.self)(fd, isUnlock ? F_ULOCK : F_LOCK, 0)
            case .lockf64: return function("lockf64", Lockf.self)(fd, isUnlock ? F_ULOCK : F_LOCK, 0)
            case .fcntl: return function("fcntl", Fcntl.self)(fd, F_SETLKW, &range)
            case .fcntl64: return function("fcntl64", Fcntl.self)(fd, F_SETLKW, &range)
            case .openFile: return function("fcntl", Fcntl.self)(fd, 38, &range)  // F_OFD_SETLKW
            case .openFile64: return function("fcntl64", Fcntl.self)(fd, 38, &range)
            }
        }
    }

    /// Whether `fd`'s file can be locked through a fresh description now.
    private func isFree(_ file: TemporaryFile, _ call: Call) -> Bool {
        let fd = open(file.path, O_RDWR)
        defer { close(fd) }
        if call == .flock { return flock(fd, LOCK_EX | LOCK_NB) == 0 }
        var range = Glibc.flock()
        range.l_type = Int16(F_WRLCK)
        return unsafeBitCast(dlsym(nil, "fcntl"), to: Fcntl.self)(fd, 37, &range) == 0  // F_OFD_SETLK
    }

    @Test(arguments: Call.allCases)
    func freeLockIsTakenAtOnce(call: Call) {
        let file = TemporaryFile()
        let scheduler = onFiber { _ in
            errno = ENOENT
            #expect(call(file.fd) == 0)
            #expect(errno == ENOENT)
            #expect(!isFree(file, call))
            call.unlock(file.fd)
            #expect(isFree(file, call))
        }
        #expect(scheduler.sleeps.isEmpty)
    }

    @Test(arguments: Call.ofOpenFiles)
    func heldLockParksUntilItIsFree(call: Call) {
        let file = TemporaryFile()
        let holder = open(file.path, O_RDWR)
        defer { close(holder) }
        call(holder)
        onFiber { scheduler in
            scheduler.whenParked = [{}, {}, { call.unlock(holder) }]
            errno = ENOENT
            #expect(call(file.fd) == 0)
            #expect(errno == ENOENT)
            #expect(scheduler.sleeps.count == 3 && scheduler.offloads == 0)
            #expect(!isFree(file, call))
        }
    }

    @Test(arguments: Call.ofProcesses)
    func lockOfAnotherProcessParks(call: Call) {
        let file = TemporaryFile()
        let holder = open(file.path, O_RDWR)  // a lock of the open file stands in for another process's
        Call.openFile(holder)
        onFiber { scheduler in
            scheduler.whenParked = [{}, { Call.openFile.unlock(holder) }]
            #expect(call(file.fd) == 0)
            #expect(scheduler.sleeps.count == 2)
            #expect(!isFree(file, call))
        }
        close(holder)
    }

    @Test(arguments: Call.allCases)
    func endedFiberGetsECANCELEDAndNeverTheLock(call: Call) {
        let file = TemporaryFile()
        let holder = open(file.path, O_RDWR)
        let other = call == .flock ? Call.flock : .openFile
        other(holder)
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            #expect(call(file.fd) == -1)
            #expect(errno == ECANCELED)
            #expect(scheduler.offloads == 0 && scheduler.operations.isEmpty, "nobody else asks for it")
        }
        other.unlock(holder)
        #expect(isFree(file, call))
        close(holder)
    }

    @Test(arguments: Call.allCases)
    func errorsAreLibcs(call: Call) {
        let scheduler = onFiber { _ in
            #expect(call(-1) == -1)
            #expect(errno == EBADF)
        }
        #expect(scheduler.sleeps.isEmpty)
    }

    @Test func otherCommandsPassThrough() {
        let file = TemporaryFile()
        let holder = open(file.path, O_RDWR)
        #expect(flock(holder, LOCK_EX) == 0)
        let scheduler = onFiber { _ in
            #expect(flock(file.fd, LOCK_EX | LOCK_NB) == -1)
            #expect(errno == EWOULDBLOCK)
            #expect(lockf(file.fd, F_TEST, 0) == 0)
            let copy = fcntl(file.fd, F_DUPFD, 0)
            #expect(copy >= 0)
            #expect(fcntl(copy, F_SETFD, FD_CLOEXEC) == 0 && fcntl(copy, F_GETFD) == FD_CLOEXEC)
            close(copy)
        }
        #expect(scheduler.sleeps.isEmpty)
        close(holder)
    }

    @Test(arguments: Call.allCases)
    func outsideAFiberItIsLibcs(call: Call) {
        let file = TemporaryFile()
        #expect(call(file.fd) == 0)
        #expect(!isFree(file, call))
    }
}

/// flock(2), where a case of that name hides it.
private func lockWhole(_ fd: Int32, _ operation: Int32) -> Int32 { flock(fd, operation) }
