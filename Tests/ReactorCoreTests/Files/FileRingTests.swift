import CLinux
import Glibc
import Testing

@Suite struct FileRingTests {
    @Test func completionsThatFoundTheirQueueFullAreTold() throws {
        var ring = clinux_ring()
        // Kernels without io_uring, and sandboxes that forbid it.
        guard clinux_ring_init(&ring, 8, 16) == 0 else { return }
        defer { clinux_ring_term(&ring) }
        let file = open("/dev/zero", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)
        defer { buffer.deallocate() }
        var taken = 0
        while taken < 200 {
            var operation = clinux_file_operation(
                code: Int32(CLINUX_FILE_READ.rawValue), fd: file, address: buffer, length: 1, offset: 0,
                flags: 0,
                mode: 0)
            try #require(clinux_ring_file(&ring, &operation, 0, UInt64(taken)) == 0)
            _ = clinux_ring_enter(&ring, 0, 0)
            // Older kernels take no more while they have nowhere to put what is done.
            guard clinux_ring_unsubmitted(&ring) == 0 else { break }
            taken += 1
        }
        #expect(taken > 16)
        var told: Set<UInt64> = []
        var completion = clinux_completion()
        while clinux_ring_next(&ring, &completion) != 0 { told.insert(completion.user_data) }
        #expect(told.count == taken)
    }
}
