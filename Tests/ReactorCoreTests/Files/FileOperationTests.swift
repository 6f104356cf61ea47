import CLinux
import Glibc
import ReactorTesting
import Testing

@testable import ReactorCore

/// Both engines give what the system calls give.
@Suite struct FileOperationTests {
    /// One operation and what the system call gives.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let expected: Int
        let run: @Sendable @ReactorActor (Reactor, String) async -> Int
        var testDescription: String { name }

        init(
            _ name: String, _ expected: Int,
            _ run: @escaping @Sendable @ReactorActor (Reactor, String) async -> Int
        ) {
            self.name = name
            self.expected = expected
            self.run = run
        }

        /// An operation on a file of ten bytes, opened with the flags.
        init(
            _ name: String, _ expected: Int, flags: Int32,
            _ operation: @escaping @Sendable (Int32, UnsafeMutableRawBufferPointer) -> FileOperation
        ) {
            self.init(name, expected) { reactor, directory in
                let path = "\(directory)/ten"
                let made = Glibc.open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
                write(made, "0123456789", 10)
                close(made)
                let fd = Glibc.open(path, flags | O_CLOEXEC)
                defer { close(fd) }
                let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
                buffer.initializeMemory(as: UInt8.self, repeating: 0x78)
                defer { buffer.deallocate() }
                return await reactor.perform(operation(fd, buffer))
            }
        }
    }

    static let cases: [Case] = [
        Case("read of more than there is", 10, flags: O_RDONLY) { .read($0, into: $1) },
        Case("read of a part", 4, flags: O_RDONLY) { .read($0, into: .init(rebasing: $1[..<4])) },
        Case("read of nothing", 0, flags: O_RDONLY) { .read($0, into: .init(rebasing: $1[..<0])) },
        Case("read at an offset", 3, flags: O_RDONLY) { .read($0, into: $1, at: 7) },
        Case("read at the end", 0, flags: O_RDONLY) { .read($0, into: $1, at: 10) },
        Case("read far behind the end", 0, flags: O_RDONLY) { .read($0, into: $1, at: 1 << 40) },
        Case("read at an offset below zero", -Int(EINVAL), flags: O_RDONLY) { .read($0, into: $1, at: -1) },
        Case("read of a file opened for writing", -Int(EBADF), flags: O_WRONLY) { .read($0, into: $1) },
        Case("read into no memory", -Int(EFAULT), flags: O_RDONLY) { fd, _ in
            .read(fd, into: .init(start: .init(bitPattern: 16), count: 8))
        },
        Case("read of a non-blocking file", 10, flags: O_RDONLY | O_NONBLOCK) { .read($0, into: $1) },
        Case("write", 64, flags: O_WRONLY) { .write($0, .init($1)) },
        Case("write at an offset", 64, flags: O_WRONLY) { .write($0, .init($1), at: 5_000) },
        Case("write at an offset below zero", -Int(EINVAL), flags: O_WRONLY) {
            .write($0, .init($1), at: .min)
        },
        Case("write of nothing", 0, flags: O_WRONLY) { .write($0, .init(rebasing: $1[..<0])) },
        Case("write to a file opened for reading", -Int(EBADF), flags: O_RDONLY) { .write($0, .init($1)) },
        Case("synchronize", 0, flags: O_WRONLY) { fd, _ in .synchronize(fd) },
        Case("synchronize data", 0, flags: O_WRONLY) { fd, _ in .synchronize(fd, dataOnly: true) },
        Case("read of no descriptor", -Int(EBADF), flags: O_RDONLY) { .read(-1, into: $1) },
        Case("close of no descriptor", -Int(EBADF), flags: O_RDONLY) { _, _ in .close(-1) },
        Case("read of a directory", -Int(EISDIR)) { reactor, directory in
            let fd = Glibc.open(directory, O_RDONLY | O_CLOEXEC)
            defer { close(fd) }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 1)
            defer { buffer.deallocate() }
            return await reactor.perform(.read(fd, into: buffer))
        },
        Case("synchronize a pipe", -Int(EINVAL)) { reactor, _ in
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { return 1 }
            defer { for end in ends { close(end) } }
            return await reactor.perform(.synchronize(ends[0]))
        },
        Case("write to a full device", -Int(ENOSPC)) { reactor, _ in
            let fd = Glibc.open("/dev/full", O_WRONLY | O_CLOEXEC)
            defer { close(fd) }
            return await withBytes("x") { await reactor.perform(.write(fd, $0)) }
        },
        Case("open of what is not there", -Int(ENOENT)) { await open("\($1)/none", O_RDONLY, $0) },
        Case("open of nothing", -Int(ENOENT)) { reactor, _ in await open("", O_RDONLY, reactor) },
        Case("open below a file", -Int(ENOTDIR)) { reactor, _ in
            await open("/proc/self/exe/x", O_RDONLY, reactor)
        },
        Case("open of a directory for writing", -Int(EISDIR)) { await open($1, O_WRONLY, $0) },
        Case("open of a new file that is there", -Int(EEXIST)) {
            await open($1, O_CREAT | O_EXCL | O_WRONLY, $0)
        },
        Case("open of too long a path", -Int(ENAMETOOLONG)) { reactor, _ in
            await open(String(repeating: "x", count: 5_000), O_RDONLY, reactor)
        },
    ]

    @Test(arguments: fileEngines, cases)
    func resultIsThatOfTheSystemCall(_ engine: Reactor.FileEngine, _ item: Case) async throws {
        try await withFiles(engine) { reactor, directory in
            let result = await item.run(reactor, directory)
            #expect(result == item.expected)
        }
    }

    @Test(arguments: fileEngines)
    func operationUnderWayIsWaitedForWhenItsTaskIsCancelled(_ engine: Reactor.FileEngine) async throws {
        try await withFiles(engine) { reactor, _ in
            let (reading, writing) = try pipe()
            let task = reactor.startTask { await readFour(reading, reactor) }
            try await reactor.sleep(for: .milliseconds(2))
            task.cancel()
            try await reactor.sleep(for: .milliseconds(2))  // the loop is not held up
            write(writing, "data", 4)
            let bytes = await task.value
            #expect(bytes == Array("data".utf8))
            for fd in [reading, writing] { close(fd) }
        }
    }

    /// The reactor stops, its thread ends, nobody holds it: the operation does, and ends when it runs again.
    @Test(arguments: fileEngines)
    func operationUnderWayOutlivesTheRunAndItsThread(_ engine: Reactor.FileEngine) async throws {
        let (reading, writing) = try pipe()
        let held = Weakly()
        let result = Result()
        try await onThread {
            let reactor = Reactor()
            held.reactor = reactor
            try reactor.run(until: {
                if (try? reactor.useFileEngine(engine)) == nil { try reactor.useFileEngine(.threads) }
                _ = reactor.startTask { result.bytes = await readFour(reading, reactor) }
                try await reactor.sleep(for: .milliseconds(2))
            })
        }
        write(writing, "data", 4)
        try await onThread {
            let reactor = try #require(held.reactor)
            try reactor.run(until: {
                while result.bytes.isEmpty { try await reactor.sleep(for: .microseconds(100)) }
                #expect(result.bytes == Array("data".utf8))
            })
        }
        for _ in 0..<4000 where held.reactor != nil { try await Task.sleep(for: .milliseconds(5)) }
        #expect(held.reactor == nil)
        for fd in [reading, writing] { close(fd) }
    }

    @Test(arguments: fileEngines)
    func operationsAtThePositionAreDoneInTheirOrder(_ engine: Reactor.FileEngine) async throws {
        try await withFiles(engine) { reactor, directory in
            let fd = Glibc.open("\(directory)/order", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            let tasks = (0..<200).map { number in
                reactor.startTask {
                    // Some are long enough to be handed to a worker at once.
                    let text = String(repeating: String(number % 10), count: number % 7 == 0 ? 70_000 : 10)
                    return await withBytes(text) { await reactor.perform(.write(fd, $0)) }
                }
            }
            var expected: [UInt8] = []
            for (number, task) in tasks.enumerated() {
                let count = await task.value
                #expect(count == (number % 7 == 0 ? 70_000 : 10))
                expected += [UInt8](repeating: 48 + UInt8(number % 10), count: count)
            }
            var found = [UInt8](repeating: 0, count: expected.count + 1)
            #expect(pread(fd, &found, found.count, 0) == expected.count)
            #expect(Array(found.dropLast()) == expected)
            close(fd)
        }
    }

    /// A task that reads what is in memory already gives way each time.
    @Test(arguments: fileEngines)
    func readingInALoopDoesNotHoldUpTheLoop(_ engine: Reactor.FileEngine) async throws {
        try await withFiles(engine) { reactor, directory in
            let fd = Glibc.open("\(directory)/loop", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            write(fd, "x", 1)
            var isOver = false
            reactor.callLater(.milliseconds(3)) { isOver = true }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
            defer { buffer.deallocate() }
            let end = MonotonicClock().now.advanced(by: .seconds(20))
            while !isOver, MonotonicClock().now < end {
                let count = await reactor.perform(.read(fd, into: buffer, at: 0))
                #expect(count == 1)
            }
            #expect(isOver)
            close(fd)
        }
    }

    @Test(arguments: fileEngines)
    func manyAtOnceAllEnd(_ engine: Reactor.FileEngine) async throws {
        try await withFiles(engine) { reactor, directory in
            let fd = Glibc.open("\(directory)/many", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            let tasks = (0..<3_000).map { number in
                reactor.startTask {
                    await withBytes("\(number % 10)") {
                        await reactor.perform(.write(fd, $0, at: Int64(number)))
                    }
                }
            }
            for task in tasks { #expect(await task.value == 1) }
            var found = [UInt8](repeating: 0, count: 3_001)
            #expect(read(fd, &found, found.count) == 3_000)
            #expect(found.dropLast().enumerated().allSatisfy { $1 == 48 + UInt8($0 % 10) })
            close(fd)
        }
    }

    @Test func ringOfTheFilesIsNoLeak() async throws {
        try await withFiles(.ioUring) { reactor, _ in
            #expect(reactor.fileEngine == .ioUring)
            #expect(reactor.watchedDescriptors.isEmpty)
            #expect(reactor.readers.isEmpty)
            #expect(reactor.removeAll().isEmpty)
        }
    }

    @Test func environmentNamesTheEngine() async {
        await #expect(processExitsWith: .success) {
            setenv("REACTOR_FILES", "threads", 1)
            try Reactor().run(until: { precondition(Reactor.current.fileEngine == .threads) })
            setenv("REACTOR_FILES", "io_uring", 1)
            let isThere = Reactor.Backend.ioUring.isAvailable
            try Reactor().run(until: {
                precondition(Reactor.current.fileEngine == (isThere ? .ioUring : .threads))
            })
        }
    }

    /// The kernel takes no work when a thread has to: the pool was stopped by hand.
    @Test func stoppedPoolLosesNoOperation() async throws {
        try await withFiles(.threads) { reactor, directory in
            try await reactor.threadPool.stopAndWait()
            let fd = Glibc.open("\(directory)/late", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            let count = await withBytes("late") { await reactor.perform(.write(fd, $0)) }
            #expect(count == 4)
            close(fd)
        }
    }
}

@ReactorActor private final class Result {
    var bytes: [UInt8] = []
    nonisolated init() {}
}

/// Knows a reactor without holding it.
private final class Weakly: @unchecked Sendable {  // written before the first thread has ended, read after
    weak var reactor: Reactor?
}

@ReactorActor private func readFour(_ fd: Int32, _ reactor: Reactor) async -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 1)
    defer { buffer.deallocate() }
    let count = await reactor.perform(.read(fd, into: buffer))
    return [UInt8](buffer[..<max(0, count)])
}

@ReactorActor
private func withBytes(
    _ text: String, _ body: @ReactorActor (UnsafeRawBufferPointer) async -> Int
) async -> Int {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: text.utf8)
    return await body(UnsafeRawBufferPointer(buffer))
}

/// The result of an open, which is closed again.
@ReactorActor private func open(_ path: String, _ flags: Int32, _ reactor: Reactor) async -> Int {
    let name = strdup(path)!  // no memory for a path: nothing would work
    defer { free(name) }
    let result = await reactor.perform(.open(name, flags: flags | O_CLOEXEC, mode: 0o600))
    if result >= 0 { close(Int32(result)) }
    return result
}

private func pipe() throws -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    try #require(Glibc.pipe(&ends) == 0)
    return (ends[0], ends[1])
}

/// Runs `body` on a thread of its own, which has ended when this returns.
private func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
    let pool = ThreadPool(limit: 1)
    try await withCheckedThrowingContinuation { continuation in
        do { try pool.submit { continuation.resume(with: Swift.Result { try body() }) } } catch {
            continuation.resume(throwing: error)
        }
    }
    pool.stop()
    while pool.threadCount > 0 { await Task.yield() }
}
