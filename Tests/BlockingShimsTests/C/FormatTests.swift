import CBlockingShims
import CForeignCode
import CLinux
import Glibc
import Testing

/// Formatted output to descriptors, and to standard output.
@Suite struct FormatTests {
    static let writers = ["dprintf", "__dprintf_chk", "vdprintf", "__vdprintf_chk"]

    /// Writes "42!".
    private func write(_ name: String, _ fd: Int32) -> Int32 {
        switch name {
        case "dprintf": StreamFunction.find(name, StreamFunction.DescriptorFormat.self)(fd, "%ld!", 42)
        case "__dprintf_chk":
            StreamFunction.find(name, StreamFunction.CheckedDescriptorFormat.self)(fd, 1, "%ld!", 42)
        case "vdprintf": withVaList([42]) { vdprintf(fd, "%ld!", $0) }
        default: withVaList([42]) { __vdprintf_chk(fd, 1, "%ld!", $0) }
        }
    }

    @Test(arguments: writers)
    func descriptorsAreWrittenTo(name: String) {
        let pipes = Pair.pipes()
        let filled = pipes.fill()
        let drain = OutputTests.Drain(pipes)
        onFiber { scheduler in
            scheduler.whenParked = [{ drain.take() }]
            #expect(write(name, pipes.second) == 3)
            #expect(scheduler.waits.count == 1)
        }
        drain.take()
        #expect(drain.text.dropFirst(filled) == "42!")
    }

    @Test(arguments: writers)
    func outsideAFiberDescriptorsAreLibcs(name: String) {
        let pipes = Pair.pipes()
        #expect(write(name, pipes.second) == 3)
        #expect(ReceiveTests.Call.read(pipes.first, 10).bytes == Array("42!".utf8))
    }

    @Test(arguments: [true, false])
    func everyWayToStandardOutputWrites(isOnFiber: Bool) async {
        // In a process of its own: there is but one standard output.
        await #expect(processExitsWith: .success) { [isOnFiber] in
            let pipes = Pair.pipes()
            let filled = isOnFiber ? pipes.fill() : 0
            let kept = dup(STDOUT_FILENO)
            let drain = OutputTests.Drain(pipes)
            dup2(pipes.second, STDOUT_FILENO)
            // The variable itself, by its symbol: nobody changes it.
            let output = dlsym(nil, "stdout").assumingMemoryBound(to: CFile.self).pointee
            setvbuf(output, nil, _IOLBF, 4096)
            if isOnFiber {
                onFiber { scheduler in
                    scheduler.whenParked = Array(repeating: { drain.take() }, count: 10)
                    writeEveryWay()
                    #expect(!scheduler.waits.isEmpty)
                }
            } else {
                writeEveryWay()
            }
            drain.take()
            let expected = "a line\nand one\nbc1\nof 2.5\nof 2.5\nof 2.5\nof 2.5\nof Swift\n"
            #expect(drain.text.dropFirst(filled) == expected)
            dup2(kept, STDOUT_FILENO)
        }
    }
}

/// Lines by every function that writes to standard output.
private func writeEveryWay() {
    typealias Line = @convention(c) (UnsafePointer<CChar>) -> Int32
    typealias Byte = @convention(c) (Int32) -> Int32
    typealias Format = @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32
    typealias CheckedFormat = @convention(c) (Int32, UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32
    #expect(puts("a line") >= 0)
    #expect(symbol("_IO_puts", as: Line.self)("and one") >= 0)
    #expect(putchar(98) == 98)
    #expect(symbol("putchar_unlocked", as: Byte.self)(99) == 99)
    #expect(withVaList([1]) { vprintf("%ld\n", $0) } == 2)
    #expect(symbol("printf", as: Format.self)("of %s\n", "2.5") == 7)
    #expect(symbol("_IO_printf", as: Format.self)("of %s\n", "2.5") == 7)
    #expect(symbol("__printf_chk", as: CheckedFormat.self)(1, "of %s\n", "2.5") == 7)
    #expect(withVaList([2.5]) { __vprintf_chk(1, "of %.1f\n", $0) } == 7)
    print("of Swift")
}
