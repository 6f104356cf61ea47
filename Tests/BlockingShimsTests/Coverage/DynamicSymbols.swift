import CLinux
import Glibc

/// The functions that a shared library wants from others: the undefined entries of its dynamic symbol table.
///
/// Read from the file (ELF-64 in this machine's byte order, elf(5)), so that no tool has to be installed.
struct DynamicSymbols {
    struct Malformed: Error { var message: String }

    /// Names, each once, without versions.
    let undefined: Set<String>

    init(ofFile path: String) throws {
        let bytes = try Self.read(path)
        guard bytes.count > 64, Array(bytes[0..<5]) == [0x7f, 0x45, 0x4c, 0x46, 2] else {
            throw Malformed(message: "\(path) is no ELF-64 file")
        }
        self.undefined = try bytes.withUnsafeBytes { try Self.undefined(in: $0, path) }
    }

    private static func read(_ path: String) throws -> [UInt8] {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { throw Malformed(message: "\(path) cannot be opened: \(errno)") }
        defer { close(fd) }
        var bytes = [UInt8](repeating: 0, count: Int(lseek(fd, 0, SEEK_END)))
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                pread(fd, $0.baseAddress! + done, $0.count - done, off_t(done))  // not empty: the loop runs
            }
            guard count > 0 else { throw Malformed(message: "\(path) cannot be read: \(errno)") }
            done += count
        }
        return bytes
    }

    private static func undefined(in file: UnsafeRawBufferPointer, _ path: String) throws -> Set<String> {
        func value<Value: FixedWidthInteger>(_ offset: Int, _: Value.Type) throws -> Value {
            guard offset >= 0, offset + MemoryLayout<Value>.size <= file.count else {
                throw Malformed(message: "\(path) points outside itself")
            }
            return file.loadUnaligned(fromByteOffset: offset, as: Value.self)
        }
        /// A section's type, place, size, entry size and link.
        func section(_ index: Int) throws -> (type: UInt32, start: Int, size: Int, entry: Int, link: Int) {
            let header = try Int(value(40, UInt64.self)) + index * Int(value(58, UInt16.self))
            return try (
                value(header + 4, UInt32.self), Int(value(header + 24, UInt64.self)),
                Int(value(header + 32, UInt64.self)), Int(value(header + 56, UInt64.self)),
                Int(value(header + 40, UInt32.self))
            )
        }
        let dynamicSymbols: UInt32 = 11  // SHT_DYNSYM
        for index in try 0..<Int(value(60, UInt16.self)) {
            let table = try section(index)
            guard table.type == dynamicSymbols, table.entry > 0 else { continue }
            let names = try section(table.link)
            var undefined: Set<String> = []
            for symbol in stride(from: table.start, to: table.start + table.size, by: table.entry) {
                guard try value(symbol + 6, UInt16.self) == 0 else { continue }  // SHN_UNDEF
                var text: [UInt8] = []
                var place = try names.start + Int(value(symbol, UInt32.self))
                while let byte = try? value(place, UInt8.self), byte != 0 {
                    text.append(byte)
                    place += 1
                }
                if !text.isEmpty { undefined.insert(String(decoding: text, as: UTF8.self)) }
            }
            return undefined
        }
        throw Malformed(message: "\(path) has no dynamic symbols")
    }
}
