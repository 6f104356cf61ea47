import CBlockingShims
import CLinux
import Glibc
import Testing

@Suite struct InputTests {
    private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    @Test(arguments: StreamFunction.readers)
    func lineArrivesByteByByte(name: String) {
        let stream = Stream(.pipes(), "r")
        onFiber { scheduler in
            scheduler.whenParked = "hello\n".map { letter in { stream.feed(String(letter)) } }
            errno = ENOENT
            #expect(text(StreamFunction.read(name, 6, stream.file)) == "hello\n")
            #expect(errno == ENOENT)
            #expect(scheduler.waits == Array(repeating: .init(fd: stream.fd, events: POLLIN), count: 6))
            #expect(!isNonblocking(stream.fd) && ferror(stream.file) == 0)
        }
    }

    @Test(arguments: StreamFunction.readers)
    func bufferedBytesAreTakenWithoutParking(name: String) {
        let stream = Stream(.sockets(), "r")
        stream.feed("first\nsecond\n")
        let scheduler = onFiber { _ in
            #expect(text(StreamFunction.read(name, 6, stream.file)) == "first\n")
            #expect(text(StreamFunction.read(name, 7, stream.file)) == "second\n")
        }
        #expect(scheduler.waits.isEmpty)
    }

    @Test(arguments: StreamFunction.readers)
    func endOfFileIsSeenOnceAndStays(name: String) {
        let stream = Stream(.pipes(), "r")
        let scheduler = onFiber { scheduler in
            scheduler.whenParked = [{ stream.feed("rest") }, { stream.pair.closeSecond() }]
            #expect(text(StreamFunction.read(name, 10, stream.file)) == "rest")
            #expect(StreamFunction.read(name, 10, stream.file) == nil)
            #expect(feof(stream.file) != 0 && ferror(stream.file) == 0)
        }
        #expect(scheduler.waits.count == 2)
    }

    @Test(arguments: StreamFunction.readers)
    func endedFiberGetsECANCELED(name: String) {
        let stream = Stream(.pipes(), "r")
        onFiber { scheduler in
            scheduler.failure = ECANCELED
            for _ in 0..<2 {
                #expect(StreamFunction.read(name, 10, stream.file) == nil)
                #expect(errno == ECANCELED)
            }
            #expect(ferror(stream.file) != 0)
        }
        clearerr(stream.file)
        stream.feed("later\n")
        #expect(text(StreamFunction.read(name, 6, stream.file)) == "later\n", "nothing is locked or lost")
    }

    @Test(arguments: StreamFunction.readers)
    func nonblockingDescriptorKeepsEAGAIN(name: String) {
        let stream = Stream(.pipes(), "r")
        setNonblocking(stream.fd, true)
        let scheduler = onFiber { _ in
            #expect(StreamFunction.read(name, 10, stream.file) == nil)
            #expect(errno == EAGAIN)
            #expect(ferror(stream.file) != 0)
        }
        #expect(scheduler.waits.isEmpty)
    }

    @Test(arguments: StreamFunction.readers)
    func receiveTimeoutIsHonoured(name: String) {
        let stream = Stream(.sockets(), "r")
        setTimeout(stream.fd, SO_RCVTIMEO, milliseconds: 30)
        onFiber { _ in
            #expect(StreamFunction.read(name, 10, stream.file) == nil)
            #expect(errno == EAGAIN)
        }
    }

    @Test(arguments: StreamFunction.readers)
    func outsideAFiberItIsLibcs(name: String) {
        let stream = Stream(.pipes(), "r")
        stream.feed("hello\n")
        #expect(text(StreamFunction.read(name, 6, stream.file)) == "hello\n")
    }

    @Test(arguments: StreamFunction.blocks + StreamFunction.checkedBlocks)
    func largeBlockComesOverSeveralParks(name: String) {
        let stream = Stream(.sockets(), "r")
        let content = (0..<65536).map { UInt8(truncatingIfNeeded: $0 &* 17 &+ $0 >> 8) }
        onFiber { scheduler in
            scheduler.whenParked = stride(from: 0, to: content.count, by: 3000).map { start in
                {
                    let piece = Array(content[start..<min(start + 3000, content.count)])
                    _ = write(stream.pair.second, piece, piece.count)
                }
            }
            #expect(StreamFunction.read(name, 65536, stream.file) == content)
            #expect(scheduler.waits.count == 22)
        }
    }

    @Test func itemsAreCountedWhole() {
        let stream = Stream(.pipes(), "r")
        onFiber { scheduler in
            scheduler.whenParked = [{ stream.feed("abcdefg") }, { stream.pair.closeSecond() }]
            var buffer = [UInt8](repeating: 0, count: 20)
            #expect(fread(&buffer, 3, 5, stream.file) == 2)
            #expect(fread(&buffer, 0, 5, stream.file) == 0)
        }
    }

    @Test func longLinesGrowTheirBuffer() {
        let stream = Stream(.pipes(), "r")
        let line = String(repeating: "x", count: 10_000) + "\n"
        onFiber { scheduler in
            scheduler.whenParked = [
                { stream.feed(String(line.prefix(4000))) }, { stream.feed(String(line.dropFirst(4000))) },
            ]
            #expect(text(StreamFunction.read("getline", 0, stream.file)) == line)
        }
    }

    @Test func fgetsCutsAtItsSize() {
        let stream = Stream(.pipes(), "r")
        stream.feed("abcdef\n")
        onFiber { _ in
            #expect(text(StreamFunction.read("fgets", 3, stream.file)) == "abc")
            var one: CChar = 7
            #expect(fgets(&one, 1, stream.file) != nil && one == 0)
            #expect(fgets(&one, 0, stream.file) == nil)
            #expect(text(StreamFunction.read("fgets", 30, stream.file)) == "def\n")
        }
    }

    @Test func pushedBackBytesComeFirst() {
        let stream = Stream(.pipes(), "r")
        stream.feed("abc")
        onFiber { scheduler in
            #expect(getc(stream.file) == 97)
            for letter: Int32 in [90, 89, 88] { #expect(ungetc(letter, stream.file) == letter) }
            #expect(text(StreamFunction.read("fgetc", 5, stream.file)) == "XYZbc", "without a park")
            #expect(scheduler.waits.isEmpty)
            scheduler.whenParked = [{ stream.feed("d\n") }]
            #expect(text(StreamFunction.read("fgets", 10, stream.file)) == "d\n")
        }
    }

    @Test(arguments: [_IONBF, _IOLBF, _IOFBF])
    func everyKindOfBufferWorks(mode: Int32) {
        let stream = Stream(.pipes(), "r")
        setvbuf(stream.file, nil, mode, 256)
        onFiber { scheduler in
            scheduler.whenParked = [{ stream.feed("one") }, { stream.feed(" two\nthree") }]
            #expect(text(StreamFunction.read("fgets", 100, stream.file)) == "one two\n")
            #expect(text(StreamFunction.read("fread", 5, stream.file)) == "three")
            #expect(scheduler.waits.count == 2)
        }
    }

    @Test func fasterReaderDoesNotBlockTheFiber() {
        let stream = Stream(.pipes(), "r")
        onFiber { scheduler in
            scheduler.spuriousWakes = 2
            scheduler.whenParked = [{ stream.feed("x") }]
            #expect(fgetc(stream.file) == 120)
            #expect(scheduler.waits.count == 3)
        }
    }

    @Test func parkedCallLeavesOtherStreamsAlone() {
        let (first, second) = (Stream(.pipes(), "r"), Stream(.pipes(), "r"))
        onFiber { scheduler in
            scheduler.whenParked = [
                { first.feed("half ") },
                {
                    onFiber { other in
                        other.whenParked = [{ second.feed("other\n") }]
                        #expect(text(StreamFunction.read("getline", 0, second.file)) == "other\n")
                    }
                    first.feed("whole\n")
                },
            ]
            #expect(text(StreamFunction.read("fgets", 100, first.file)) == "half whole\n")
        }
    }

    @Test func parkedCallKeepsItsStreamFromOtherFibers() {
        let stream = Stream(.pipes(), "r")
        onFiber { scheduler in
            scheduler.whenParked = [
                { stream.feed("half ") },
                {
                    stream.feed("whole\n")
                    onFiber { other in
                        other.failure = ECANCELED
                        #expect(
                            StreamFunction.read("fgets", 100, stream.file) == nil,
                            "it would have torn the line")
                        #expect(errno == ECANCELED && other.sleeps.count == 1)
                    }
                },
            ]
            #expect(text(StreamFunction.read("fgets", 100, stream.file)) == "half whole\n")
        }
    }

    @Test func underflowFillsTheBufferAndTakesNothing() {
        let stream = Stream(.pipes(), "r")
        let underflow = StreamFunction.find("__underflow", StreamFunction.Byte.self)
        onFiber { scheduler in
            scheduler.whenParked = [{ stream.feed("ab") }]
            #expect(underflow(stream.file) == 97)
            #expect(underflow(stream.file) == 97)
            #expect(getc(stream.file) == 97 && getc(stream.file) == 98)
            #expect(scheduler.waits.count == 1)
        }
        stream.feed("c")
        #expect(underflow(stream.file) == 99 && getc(stream.file) == 99)
    }

    @Test func streamWithoutADescriptorIsLibcs() {
        var content = Array("in memory\n".utf8)
        let file = fmemopen(&content, content.count, "r")!
        let scheduler = onFiber { _ in
            #expect(text(StreamFunction.read("fgets", 100, file)) == "in memory\n")
        }
        fclose(file)
        #expect(scheduler.waits.isEmpty)
    }

    @Test func standardInputParks() async {
        // In a process of its own: there is but one standard input.
        await #expect(processExitsWith: .success) {
            let pipes = Pair.pipes()
            dup2(pipes.first, STDIN_FILENO)
            onFiber { scheduler in
                scheduler.whenParked = [{ _ = write(pipes.second, "abc", 3) }]
                #expect(getchar() == 97)
                #expect(
                    unsafeBitCast(dlsym(nil, "getchar_unlocked"), to: (@convention(c) () -> Int32).self)()
                        == 98)
                #expect(scheduler.waits.count == 1)
            }
        }
    }
}
