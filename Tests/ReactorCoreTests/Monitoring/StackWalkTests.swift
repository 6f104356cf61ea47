import CLinux
import Testing

@testable import ReactorCore

@Suite struct StackWalkTests {
    @Test func zerosNextToReturnAddressesAreNoFrames() {
        // A thread in usleep(3) keeps a zero, the seconds, right below an address to return to.
        let sleeper = Sleeper()
        sleeper.waitUntilItSleeps()
        defer { sleeper.join() }
        let sample = UnsafeMutablePointer<clinux_sample>.allocate(capacity: 1)
        defer { sample.deallocate() }
        let result = clinux_sample_thread(sleeper.thread, sample)
        #expect(result == 0)
        #expect(sample.pointee.system_call != Int(CLINUX_RUNNING))
        let map = MemoryMap()
        let frames = Symbols.frames(StackWalk(sample: sample, map: map).addresses, map)
        let names = frames.compactMap(\.function)
        #expect(names.contains { $0.contains("sleepForAWhile") }, "\(names)")
        #expect(names.contains { $0.contains("callerOfTheSleeper") }, "\(names)")
    }

    @Test func namesAreFoundAndDemangled() {
        #expect(Symbols.demangled("$s11ReactorCore0A0C") == "ReactorCore.Reactor")
        #expect(Symbols.demangled("usleep") == "usleep")
    }
}
