import CLinux
import Glibc

/// The executable parts of the process's memory, as /proc/self/maps shows them.
struct MemoryMap {
    struct Region {
        let start: UInt
        let end: UInt
        let fileOffset: UInt
        let path: String
        let isSystemLibrary: Bool
        /// Whether its functions keep frame records: Swift's do, and C of the same package; other libraries' may not.
        let keepsFrames: Bool
    }

    /// In ascending order.
    private let regions: [Region]

    init() { self.init(text: readFile("/proc/self/maps") ?? "") }

    /// Reads lines such as `7f00-7f10 r-xp 00001000 fd:00 12 /usr/lib/libc.so.6`.
    init(text: String) {
        regions = text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            guard parts.count >= 5, parts[1].dropFirst(2).first == "x" else { return nil }
            let ends = parts[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, let offset = UInt(parts[2], radix: 16) else { return nil }
            let path = parts.count > 5 ? String(parts[5].drop { $0 == " " }) : ""
            let name = path.split(separator: "/").last ?? ""
            let isSystem =
                path.hasPrefix("[")
                || ["libc", "ld-linux", "libpthread", "libm"].contains { library in
                    name.hasPrefix(library + ".") || name.hasPrefix(library + "-")
                }
            let isForeign =
                name.contains(".so") && !name.hasPrefix("libswift") && !name.contains("Foundation")
            return Region(
                start: ends[0], end: ends[1], fileOffset: offset, path: path, isSystemLibrary: isSystem,
                keepsFrames: !isSystem && !isForeign)
        }
    }

    func region(of address: UInt) -> Region? {
        regions.first { address >= $0.start && address < $0.end }
    }

    func isCode(_ address: UInt) -> Bool { region(of: address) != nil }

    /// Whether the code is libc's, or the kernel's own in user space.
    func isSystemLibrary(_ address: UInt) -> Bool { region(of: address)?.isSystemLibrary ?? false }

    /// Whether a function there has a frame record.
    func keepsFrames(_ address: UInt) -> Bool { region(of: address)?.keepsFrames ?? true }

    /// Whether a word looks like one: code, behind a call.
    func isReturnAddress(_ word: UInt) -> Bool {
        guard let region = region(of: word), word - region.start >= 8 else { return false }
        // Copied: an execute-only page cannot be read, and a library may be unloaded meanwhile.
        var code = [UInt8](repeating: 0, count: 8)
        guard clinux_copy_memory(&code, word - 8, 8) == 8 else { return false }
        return code.withUnsafeBufferPointer { clinux_follows_call($0.baseAddress! + 8) } != 0  // eight bytes
    }
}

/// A small file's text, or nil. For files of /proc, which have no size.
func readFile(_ path: String) -> String? {
    let fd = open(path, O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else { return nil }
    defer { close(fd) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = read(fd, &buffer, buffer.count)
        guard count > 0 else { break }
        bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
}
