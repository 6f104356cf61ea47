import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct FileTests {
    typealias PreadChecked = @convention(c) (Int32, UnsafeMutableRawPointer, Int, Int, Int) -> Int
    typealias Pread = @convention(c) (Int32, UnsafeMutableRawPointer, Int, Int) -> Int
    typealias Preadv = @convention(c) (Int32, UnsafePointer<iovec>, Int32, Int) -> Int
    typealias Preadv2 = @convention(c) (Int32, UnsafePointer<iovec>, Int32, Int, Int32) -> Int

    /// How a function of the family is called.
    enum Form {
        case plain, checked, vector, flagged
    }

    static let reads: [(name: String, form: Form)] = [
        ("pread", .plain), ("pread64", .plain), ("__pread_chk", .checked), ("__pread64_chk", .checked),
        ("preadv", .vector), ("preadv64", .vector), ("preadv2", .flagged), ("preadv64v2", .flagged),
    ]
    static let writes: [(name: String, form: Form)] = [
        ("pwrite", .plain), ("pwrite64", .plain), ("pwritev", .vector), ("pwritev64", .vector),
        ("pwritev2", .flagged), ("pwritev64v2", .flagged),
    ]

    /// Calls a function by its symbol, as a library would, with `bytes` in two parts.
    static func call(_ name: String, _ form: Form, _ fd: Int32, _ bytes: inout [UInt8], at offset: Int) -> Int
    {
        let function = dlsym(nil, name)!  // TableTests checks that each is there
        return bytes.withUnsafeMutableBytes { buffer in
            let base = buffer.baseAddress!
            let size = buffer.count
            let parts = [
                iovec(iov_base: base, iov_len: size / 3), iovec(iov_base: base, iov_len: 0),
                iovec(iov_base: base + size / 3, iov_len: size - size / 3),
            ]
            // The types are those of <unistd.h>, <bits/unistd.h> and <sys/uio.h>.
            switch form {
            case .plain: return unsafeBitCast(function, to: Pread.self)(fd, base, size, offset)
            case .checked: return unsafeBitCast(function, to: PreadChecked.self)(fd, base, size, offset, size)
            case .vector: return unsafeBitCast(function, to: Preadv.self)(fd, parts, 3, offset)
            case .flagged: return unsafeBitCast(function, to: Preadv2.self)(fd, parts, 3, offset, 0)
            }
        }
    }

    static let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }

    private func filled() -> TemporaryFile {
        let file = TemporaryFile()
        #expect(write(file.fd, Self.content, Self.content.count) == Self.content.count)
        return file
    }

    // MARK: Reading

    @Test(arguments: reads)
    func cachedPagesComeWithoutAWorker(name: String, form: Form) {
        let file = filled()
        let scheduler = onFiber { _ in
            var bytes = [UInt8](repeating: 0, count: 100_000)
            errno = ENOENT
            #expect(Self.call(name, form, file.fd, &bytes, at: 250_000) == 50_000)
            #expect(errno == ENOENT)
            #expect(bytes.prefix(50_000) == Self.content[250_000...])
            #expect(Self.call(name, form, file.fd, &bytes, at: 300_000) == 0)
            #expect(lseek(file.fd, 0, SEEK_CUR) == 300_000, "the position stays")
        }
        #expect(scheduler.operations.isEmpty)
    }

    @Test(arguments: reads)
    func othersComeFromAWorker(name: String, form: Form) {
        let file = filled()
        let isCold = file.evict()
        let scheduler = onFiber { scheduler in
            scheduler.failure = ECANCELED  // no park of a read is ended by a kill
            var bytes = [UInt8](repeating: 0, count: 300_000)
            #expect(Self.call(name, form, file.fd, &bytes, at: 0) == 300_000)
            #expect(bytes == Self.content)
        }
        #expect(scheduler.operations == (isCold ? [CBS_FILE_READ] : []))
        #expect(scheduler.waits.isEmpty && scheduler.sleeps.isEmpty)
    }

    @Test(arguments: [ReceiveTests.Call.read, .readv, .checkedRead])
    func readsMoveThePosition(call: ReceiveTests.Call) {
        let file = filled()
        let isCold = file.evict()
        lseek(file.fd, 0, SEEK_SET)
        let scheduler = onFiber { _ in
            #expect(call(file.fd, 200_000).bytes == Array(Self.content[..<200_000]))
            #expect(call(file.fd, 200_000).bytes == Array(Self.content[200_000...]))
            #expect(call(file.fd, 10).count == 0)
        }
        #expect(!scheduler.operations.isEmpty == isCold)
    }

    @Test(arguments: reads)
    func errorsAreLibcs(name: String, form: Form) {
        let pipes = Pair.pipes()
        onFiber { _ in
            var bytes: [UInt8] = [1, 2, 3]
            #expect(Self.call(name, form, -1, &bytes, at: 0) == -1)
            #expect(errno == EBADF)
            #expect(Self.call(name, form, pipes.first, &bytes, at: 0) == -1)
            #expect(errno == ESPIPE)
            #expect(Self.call(name, form, pipes.first, &bytes, at: -2) == -1)
            #expect(errno == EINVAL)
        }
    }

    @Test func withoutAWorkerTheCallIsMadeHere() {
        let file = filled()
        _ = file.evict()
        onFiber { scheduler in
            scheduler.refusesOperations = true
            var bytes = [UInt8](repeating: 0, count: 10)
            #expect(pread(file.fd, &bytes, 10, 100) == 10)
            #expect(bytes == Array(Self.content[100..<110]))
            #expect(fsync(file.fd) == 0)
        }
    }

    @Test func filesOfProcAreReadByTheirOwnThread() {
        let scheduler = onFiber { _ in
            let fd = open("/proc/thread-self/stat", O_RDONLY)
            defer { close(fd) }
            let text = String(decoding: ReceiveTests.Call.read(fd, 20).bytes, as: UTF8.self)
            #expect(text.hasPrefix("\(gettid()) "))
        }
        #expect(scheduler.operations.isEmpty)
    }

    // MARK: Writing

    @Test(arguments: writes)
    func positionedWritesAreWhole(name: String, form: Form) {
        let file = TemporaryFile()
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            var bytes = Self.content
            errno = ENOENT
            #expect(Self.call(name, form, file.fd, &bytes, at: 5) == bytes.count)
            #expect(errno == ENOENT)
        }
        var bytes = [UInt8](repeating: 9, count: 300_100)
        #expect(pread(file.fd, &bytes, bytes.count, 0) == 300_005)
        #expect(Array(bytes[5..<300_005]) == Self.content)
        #expect(lseek(file.fd, 0, SEEK_CUR) == 0)
    }

    @Test(arguments: [SendTests.Call.write, .writev])
    func writesMoveThePositionAndAppend(call: SendTests.Call) {
        let file = TemporaryFile()
        let log = open(file.path, O_WRONLY | O_APPEND)
        defer { close(log) }
        onFiber { _ in
            #expect(call(file.fd, Self.content) == Self.content.count)
            #expect(call(log, [1, 2, 3]) == 3)
            #expect(call(file.fd, [4, 5, 6]) == 3, "over what was appended")
        }
        var bytes = [UInt8](repeating: 0, count: 10)
        #expect(pread(file.fd, &bytes, 10, 300_000) == 3)
        #expect(bytes.prefix(3) == [4, 5, 6])
    }

    @Test func fullDeviceIsLibcsError() {
        let full = open("/dev/full", O_WRONLY)
        defer { close(full) }
        onFiber { _ in
            #expect(pwrite(full, "x", 1, 0) == -1)
            #expect(errno == ENOSPC)
        }
    }

    // MARK: Synchronising

    @Test func fsyncAndRelativesGoToAWorker() {
        let file = filled()
        let pipes = Pair.pipes()
        let scheduler = onFiber { scheduler in
            scheduler.failure = ECANCELED
            errno = ENOENT
            #expect(fsync(file.fd) == 0 && fdatasync(file.fd) == 0 && sync_file_range(file.fd, 0, 10, 2) == 0)
            #expect(errno == ENOENT)
            #expect(fsync(pipes.first) == -1)
            #expect(errno == EINVAL)
            #expect(fdatasync(-1) == -1)
            #expect(errno == EBADF)
        }
        #expect(
            scheduler.operations == [
                CBS_FILE_SYNC, CBS_FILE_SYNC_DATA, CBS_FILE_SYNC_RANGE, CBS_FILE_SYNC, CBS_FILE_SYNC_DATA,
            ])
    }

    @Test func outsideAFiberNothingIsHandedOn() {
        let file = filled()
        _ = file.evict()
        var bytes = [UInt8](repeating: 0, count: 300_000)
        for (name, form) in Self.reads {
            #expect(Self.call(name, form, file.fd, &bytes, at: 0) == 300_000)
            #expect(bytes == Self.content)
        }
        for (name, form) in Self.writes {
            #expect(Self.call(name, form, file.fd, &bytes, at: 0) == 300_000)
        }
        #expect(fsync(file.fd) == 0 && fdatasync(file.fd) == 0 && sync_file_range(file.fd, 0, 10, 2) == 0)
    }
}
