import Glibc
import Greenlets
import ReactorCore
import ReactorTesting
import Testing

@Suite struct FileIOGreenletTests {
    @Test func synchronousCodeInAGreenletUsesFiles() async throws {
        try await withReactor { _ in
            var template = Array("/tmp/green-reactor-XXXXXX".utf8CString)
            let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
            defer { rmdir(directory) }
            let path = "\(directory)/file"
            defer { unlink(path) }
            let text = try await reactor.deferToGreenlet { () throws -> String in
                let file = try reactor.openFile(path, .readingAndWriting, .create)
                try file.write(Array("abcdef".utf8))
                try file.synchronize()
                let part = try file.read(2, at: 1)
                let count = try withUnsafeTemporaryAllocation(byteCount: 3, alignment: 1) {
                    try file.read(into: $0, at: 3)
                }
                try "XY".utf8.withContiguousStorageIfAvailable { bytes in
                    _ = try file.write(contentsOf: UnsafeRawBufferPointer(bytes), at: 0)
                }
                let nothing = try file.readToEnd()
                let whole = try file.read(10, at: 0)
                try file.close()
                return String(decoding: part + nothing + whole, as: UTF8.self) + " \(count)"
            }.value
            #expect(text == "bcXYcdef 3")
        }
    }
}
