import CBlockingShims
import CForeignCode
import CLinux
import Glibc
import Testing

@Suite struct OutputTests {
    /// Every way to write text to a stream.
    static let writers =
        ["fwrite", "fwrite_unlocked", "_IO_fwrite", "fputs", "fputs_unlocked", "_IO_fputs"]
        + ["fprintf", "_IO_fprintf", "__fprintf_chk", "vfprintf", "_IO_vfprintf", "__vfprintf_chk"]
        + ["fputc", "putc", "_IO_putc", "fputc_unlocked", "putc_unlocked", "__overflow"]

    /// Calls a function by its symbol; returns whether all was taken.
    static func write(_ name: String, _ text: String, _ file: CFile) -> Bool {
        switch name {
        case "fwrite", "fwrite_unlocked", "_IO_fwrite":
            var bytes = Array(text.utf8)
            return StreamFunction.find(name, StreamFunction.Block.self)(&bytes, 1, bytes.count, file)
                == bytes.count
        case "fputs", "fputs_unlocked", "_IO_fputs":
            return StreamFunction.find(name, StreamFunction.Text.self)(text, file) >= 0
        case "fprintf", "_IO_fprintf":
            return StreamFunction.find(name, StreamFunction.Format.self)(file, "%s", text) == text.utf8.count
        case "__fprintf_chk":
            return StreamFunction.find(name, StreamFunction.CheckedFormat.self)(file, 1, "%s", text)
                == text.utf8.count
        case "vfprintf": return withText(text) { vfprintf(file, "%s", $0) } == text.utf8.count
        case "_IO_vfprintf": return withText(text) { _IO_vfprintf(file, "%s", $0) } == text.utf8.count
        case "__vfprintf_chk":
            return withText(text) { __vfprintf_chk(file, 1, "%s", $0) } == text.utf8.count
        case "__overflow":
            return text.utf8.allSatisfy { byte in
                // What an inlined putc_unlocked does: __overflow is for a full buffer alone.
                let isFull = StreamFunction.isFull(file)
                return isFull
                    ? StreamFunction.find(name, StreamFunction.Overflow.self)(file, Int32(byte)) == byte
                    : putc(Int32(byte), file) == byte
            }
        default:
            return text.utf8.allSatisfy {
                StreamFunction.find(name, StreamFunction.Put.self)(Int32($0), file) == Int32($0)
            }
        }
    }

    /// Calls `body` with a list of one text.
    private static func withText(_ text: String, _ body: (CVaListPointer) -> Int32) -> Int32 {
        text.withCString { text in withVaList([OpaquePointer(text)], body) }
    }

    private static let text = String((0..<200_000).map { Character(UnicodeScalar(UInt8(33 + $0 % 90))) })

    /// Reads what is in the pipe, again and again, while the fiber is parked.
    final class Drain {
        var received: [UInt8] = []
        let pair: Pair
        init(_ pair: Pair) { self.pair = pair }

        func take() {
            var chunk = [UInt8](repeating: 0, count: 65536)
            setNonblocking(pair.first, true)
            while true {
                let count = read(pair.first, &chunk, chunk.count)
                guard count > 0 else { return }
                received += chunk.prefix(count)
            }
        }

        var text: String { String(decoding: received, as: UTF8.self) }
    }

    @Test(arguments: writers, [_IONBF, _IOLBF, _IOFBF])
    func fullPipeParks(name: String, mode: Int32) {
        // A call per byte is slow: fewer bytes, more than the buffer, into a pipe that is full already.
        let isByByte = Self.writers.suffix(6).contains(name)
        let text = isByByte ? String(Self.text.prefix(mode == _IONBF ? 100 : 6000)) : Self.text
        let pipes = Pair.pipes()
        let filled = isByByte ? pipes.fill() : 0
        let stream = Stream(pipes, "w")
        setvbuf(stream.file, nil, mode, 4096)
        let drain = Drain(stream.pair)
        onFiber { scheduler in
            scheduler.whenParked = Array(repeating: { drain.take() }, count: 1000)
            errno = ENOENT
            #expect(Self.write(name, text, stream.file))
            #expect(fflush(stream.file) == 0)
            #expect(errno == ENOENT)
            #expect(!scheduler.waits.isEmpty && scheduler.offloads == 0)
            #expect(ferror(stream.file) == 0 && !isNonblocking(stream.fd))
        }
        drain.take()
        #expect(drain.text.dropFirst(filled) == text)
    }

    @Test func smallOutputStaysInTheBuffer() {
        let stream = Stream(.sockets(), "w")
        let drain = Drain(stream.pair)
        onFiber { scheduler in
            for word in ["one ", "two ", "three\n"] { #expect(fputs(word, stream.file) >= 0) }
            drain.take()
            #expect(drain.text.isEmpty)
            #expect(fflush(stream.file) == 0)
        }
        drain.take()
        #expect(drain.text == "one two three\n")
    }

    @Test func linesGoOutAtOnce() {
        let stream = Stream(.pipes(), "w")
        setvbuf(stream.file, nil, _IOLBF, 4096)
        let drain = Drain(stream.pair)
        onFiber { _ in
            #expect(fputs("first\nsec", stream.file) >= 0)
            drain.take()
            #expect(drain.text == "first\n")
            #expect(fputs("ond\n", stream.file) >= 0)
            drain.take()
            #expect(drain.text == "first\nsecond\n")
        }
    }

    @Test func orderIsKeptBetweenFibersAndOthers() {
        let stream = Stream(.pipes(), "w")
        let drain = Drain(stream.pair)
        fputs("a", stream.file)
        onFiber { _ in fputs("b", stream.file) }
        fputs("c", stream.file)
        onFiber { _ in #expect(fflush(stream.file) == 0) }
        drain.take()
        #expect(drain.text == "abc")
    }

    @Test func endedFiberGetsECANCELED() {
        let pipes = Pair.pipes()
        _ = pipes.fill()
        let stream = Stream(pipes, "w")
        let drain = Drain(stream.pair)
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            #expect(fputs("lost", stream.file) >= 0, "there is room in the buffer")
            #expect(fflush(stream.file) == EOF)
            #expect(errno == ECANCELED)
            #expect(ferror(stream.file) != 0)
        }
        drain.take()
        fputs("later", stream.file)
        #expect(fflush(stream.file) == 0)
        drain.take()
        #expect(drain.text.hasSuffix("Ulater"), "after the filling")
    }

    @Test func brokenPipeIsEPIPE() {
        signal(SIGPIPE, SIG_IGN)
        let stream = Stream(.sockets(), "w")
        stream.pair.closeFirst()
        onFiber { _ in
            #expect(fputs("x", stream.file) >= 0)
            #expect(fflush(stream.file) == EOF)
            #expect(errno == EPIPE)
        }
    }

    @Test func readOnlyStreamIsEBADF() {
        let stream = Stream(.pipes(), "r")
        onFiber { _ in
            #expect(fputs("x", stream.file) == EOF)
            #expect(errno == EBADF)
        }
    }

    @Test func fcloseWritesTheRestAndTellsTheScheduler() {
        let pipes = Pair.pipes()
        let filled = pipes.fill()
        let stream = Stream(pipes, "w")
        let drain = Drain(stream.pair)
        let fd = stream.fd
        let file = stream.release()
        onFiber { scheduler in
            fputs("goodbye", file)
            scheduler.whenParked = [{ drain.take() }]
            #expect(fclose(file) == 0)
            #expect(scheduler.closed == [fd])
        }
        drain.take()
        #expect(drain.text.dropFirst(filled) == "goodbye")
    }

    @Test func streamOfBothDirectionsTalks() {
        let pair = Pair.sockets()
        let file = fdopen(dup(pair.first), "r+")!
        onFiber { scheduler in
            fputs("question\n", file)
            fflush(file)
            scheduler.whenParked = [{ _ = Glibc.write(pair.second, "answer\n", 7) }]
            #expect(StreamFunction.read("getline", 0, file) == Array("answer\n".utf8))
            fclose(file)
        }
        #expect(ReceiveTests.Call.read(pair.second, 100).bytes == Array("question\n".utf8))
    }

    @Test(arguments: writers)
    func outsideAFiberItIsLibcs(name: String) {
        let stream = Stream(.pipes(), "w")
        let drain = Drain(stream.pair)
        #expect(Self.write(name, "hello\n", stream.file))
        #expect(fflush(stream.file) == 0)
        drain.take()
        #expect(drain.text == "hello\n")
    }
}
