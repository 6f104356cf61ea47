import Glibc
import ReactorCore
import ReactorTesting
import Testing

@Suite struct FileIOTests {
    @Test(arguments: fileEngines)
    func whatWasWrittenIsRead(_ engine: Reactor.FileEngine) async throws {
        try await withFiles(engine) { reactor, directory in
            let file = try await reactor.openFile(
                "\(directory)/file", .readingAndWriting, [.create, .exclusive])
            try await file.write(Array("hello, ".utf8))
            try await file.write(Array("world".utf8))
            try await file.write(Array("W".utf8), at: 7)
            try await file.synchronize()
            try await file.synchronize(dataOnly: true)
            let atEnd = try await file.read(10)
            let middle = try await file.read(4, at: 5)
            let tail = try await file.read(100, at: 7)
            let nothing = try await file.read(0, at: 0)
            #expect(atEnd.isEmpty && nothing.isEmpty)
            #expect(middle == Array(", Wo".utf8))
            #expect(tail == Array("World".utf8))
            try await file.close()
        }
    }

    @Test(arguments: fileEngines)
    func positionMovesWithReadsButNotWithOffsets(_ engine: Reactor.FileEngine) async throws {
        try await withFiles(engine) { reactor, directory in
            let file = try await reactor.openFile("\(directory)/file", .readingAndWriting, [.create])
            try await file.write(Array("abcdefgh".utf8), at: 0)
            let first = try await file.read(3)
            _ = try await file.read(2, at: 6)
            let second = try await file.read(3)
            let rest = try await file.readToEnd()
            #expect(first == Array("abc".utf8) && second == Array("def".utf8) && rest == Array("gh".utf8))
            try await file.close()
        }
    }

    @Test(arguments: fileEngines)
    func appendedGoesToTheEnd(_ engine: Reactor.FileEngine) async throws {
        try await withFiles(engine) { reactor, directory in
            let path = "\(directory)/log"
            let one = try await reactor.openFile(path, .writing, [.create, .append])
            let two = try await reactor.openFile(path, .writing, [.append])
            try await one.write(Array("a".utf8))
            try await two.write(Array("b".utf8))
            try await one.write(Array("c".utf8), at: 0)  // appended all the same
            try await one.close()
            try await two.close()
            let file = try await reactor.openFile(path)
            let bytes = try await file.readToEnd()
            #expect(bytes == Array("abc".utf8))
            try await file.close()
            let emptied = try await reactor.openFile(path, .readingAndWriting, .truncate)
            let nothing = try await emptied.readToEnd()
            #expect(nothing.isEmpty)
            try await emptied.close()
        }
    }

    @Test(arguments: fileEngines)
    func megabytesArriveWhole(_ engine: Reactor.FileEngine) async throws {
        try await withFiles(engine) { reactor, directory in
            let file = try await reactor.openFile("\(directory)/large", .readingAndWriting, .create)
            let bytes = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try await file.write(bytes, at: 0)
            let found = try await file.readToEnd()
            #expect(found == bytes)
            try await file.close()
        }
    }

    @Test(arguments: fileEngines)
    func errorNamesTheOperationThePathAndTheCause(_ engine: Reactor.FileEngine) async throws {
        try await withFiles(engine) { reactor, directory in
            let missing = await #expect(throws: ReactorError.self) {
                _ = try await reactor.openFile("\(directory)/none")
            }
            #expect(missing?.code == .systemCall && missing?.errno == ENOENT)
            #expect(
                missing?.message == "open of \(directory)/none failed: No such file or directory (errno 2)")
            let file = try await reactor.openFile("\(directory)/file", .writing, .create)
            let wrong = await #expect(throws: ReactorError.self) { _ = try await file.read(3, at: 1) }
            #expect(
                wrong?.message == "read of 3 bytes at 1 of \(file.path) failed: Bad file descriptor (errno 9)"
            )
            let negative = await #expect(throws: ReactorError.self) { try await file.write([1], at: -1) }
            #expect(negative?.code == .invalidArgument)
            try await file.close()
            let zero = await #expect(throws: ReactorError.self) { _ = try await reactor.openFile("a\0b") }
            #expect(zero?.code == .invalidArgument)
        }
    }

    @Test(arguments: fileEngines)
    func closedFileIsUsedNoMore(_ engine: Reactor.FileEngine) async throws {
        try await withFiles(engine) { reactor, directory in
            let file = try await reactor.openFile("\(directory)/file", .readingAndWriting, .create)
            try await file.close()
            for operation in [
                { _ = try await file.read(1) }, { try await file.write([1]) },
                { try await file.synchronize() },
                { try await file.close() },
            ] as [@ReactorActor () async throws -> Void] {
                let error = await #expect(throws: ReactorError.self) { try await operation() }
                #expect(error?.code == .descriptorClosed)
            }
        }
    }

    /// A pipe stands for a slow disk: its read is under way for as long as the test likes.
    @Test(arguments: fileEngines)
    func closeWaitsForWhatIsUnderWay(_ engine: Reactor.FileEngine) async throws {
        try await withFiles(engine) { reactor, _ in
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            let writing = ends[1]
            let file = FileIO(adopting: ends[0], path: "pipe")
            let log = Log()
            let reading = Task { @ReactorActor in
                let bytes = try await file.read(4)
                log.lines.append("read \(bytes.count)")
            }
            try await reactor.sleep(for: .milliseconds(2))
            let closing = Task { @ReactorActor in
                try await file.close()
                log.lines.append("closed")
            }
            try await reactor.sleep(for: .milliseconds(2))
            let late = await #expect(throws: ReactorError.self) { _ = try await file.read(1) }
            #expect(late?.code == .descriptorClosed)
            write(writing, "data", 4)
            try await reading.value
            try await closing.value
            #expect(log.lines == ["read 4", "closed"])
            close(writing)
        }
    }

    @Test(arguments: fileEngines)
    func cancelledBeforeItBeginsNothingIsDone(_ engine: Reactor.FileEngine) async throws {
        try await withFiles(engine) { reactor, directory in
            let file = try await reactor.openFile("\(directory)/file", .readingAndWriting, .create)
            let task = Task { @ReactorActor in
                await reactor.yield()
                await #expect(throws: CancellationError.self) { try await file.write([1]) }
                await #expect(throws: CancellationError.self) {
                    _ = try await reactor.openFile("\(directory)/other", .writing, .create)
                }
                try await file.close()  // that it does all the same
            }
            task.cancel()
            try await task.value
            var status = stat()
            #expect(stat("\(directory)/file", &status) == 0 && status.st_size == 0)
            #expect(stat("\(directory)/other", &status) != 0)
        }
    }

    @Test(arguments: fileEngines)
    func releasedFileIsClosedByAWorker(_ engine: Reactor.FileEngine) async throws {
        try await withFiles(engine) { reactor, _ in
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            do { _ = FileIO(adopting: ends[1], path: "pipe") }
            // The end of file of the last writer.
            try await reactor.waitUntilReadable(ends[0], timeout: .seconds(10))
            close(ends[0])
        }
    }
}

@ReactorActor private final class Log { var lines: [String] = [] }
