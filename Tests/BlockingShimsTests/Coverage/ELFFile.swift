import CLinux
import Glibc

/// A file in ELF-64 and this machine's byte order, elf(5).
struct ELFFile {
    struct Malformed: Error { var message: String }

    /// A part of the file.
    struct Section {
        var type: UInt32
        var start: Int
        var size: Int
        /// The section that this one refers to.
        var link: Int
        /// Bytes of each entry.
        var entry: Int

        var end: Int { start + size }
    }

    private let path: String
    private let bytes: [UInt8]

    init(_ path: String) throws {
        self.path = path
        bytes = try Self.read(path)
        guard bytes.count > 64, Array(bytes[0..<5]) == [0x7f, 0x45, 0x4c, 0x46, 2] else {
            throw Malformed(message: "\(path) is no ELF-64 file")
        }
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

    /// The number at `offset` of the file.
    func value<Value: FixedWidthInteger>(_ offset: Int, _: Value.Type) throws -> Value {
        guard offset >= 0, offset + MemoryLayout<Value>.size <= bytes.count else {
            throw Malformed(message: "\(path) points outside itself")
        }
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    }

    /// The text at `offset` of the file, up to its NUL.
    func text(_ offset: Int) throws -> String {
        guard bytes.indices.contains(offset), let end = bytes[offset...].firstIndex(of: 0) else {
            throw Malformed(message: "\(path) points outside itself")
        }
        return String(decoding: bytes[offset..<end], as: UTF8.self)
    }

    func section(_ index: Int) throws -> Section {
        let header = try Int(value(40, UInt64.self)) + index * Int(value(58, UInt16.self))
        return try Section(
            type: value(header + 4, UInt32.self), start: Int(value(header + 24, UInt64.self)),
            size: Int(value(header + 32, UInt64.self)), link: Int(value(header + 40, UInt32.self)),
            entry: Int(value(header + 56, UInt64.self)))
    }

    func section(ofType type: UInt32) throws -> Section {
        for index in try 0..<Int(value(60, UInt16.self)) {
            let section = try section(index)
            if section.type == type { return section }
        }
        throw Malformed(message: "\(path) has no section of type \(type)")
    }
}
