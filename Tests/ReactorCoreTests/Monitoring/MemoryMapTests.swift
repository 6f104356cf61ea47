import Testing

@testable import ReactorCore

@Suite struct MemoryMapTests {
    private let map = MemoryMap(
        text: """
            1000-2000 r--p 00000000 fd:00 12 /usr/bin/films
            2000-3000 r-xp 00001000 fd:00 12 /usr/bin/films
            5000-6000 r-xp 00002000 fd:00 13                 /usr/lib/x86_64-linux-gnu/libc.so.6
            7000-8000 rw-p 00000000 00:00 0
            9000-a000 r-xp 00000000 00:00 0                  [vdso]

            """)

    @Test func onlyExecutableRegionsAreCode() {
        #expect(!map.isCode(0x1800))
        #expect(map.isCode(0x2000) && map.isCode(0x2FFF) && !map.isCode(0x3000))
        #expect(!map.isCode(0x7000))
        #expect(map.region(of: 0x2000)?.path == "/usr/bin/films")
    }

    @Test func libcAndTheKernelsCodeAreTheSystems() {
        #expect(map.isSystemLibrary(0x5000) && map.isSystemLibrary(0x9000))
        #expect(!map.isSystemLibrary(0x2000))
    }

    @Test func codeOfThisProcessIsFound() {
        let callee: @convention(c) () -> Void = {}
        #expect(MemoryMap().isCode(UInt(bitPattern: unsafeBitCast(callee, to: UnsafeRawPointer.self))))
    }
}
