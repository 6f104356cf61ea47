import CLinux
import Glibc

/// A small text file on disk that others change, read again when they have.
///
/// Reactor only, and read there: a look at its metadata a call, a few kilobytes after a change. A longer one would stand in the
/// loop's way, and counts as empty.
@ReactorActor
struct ChangingFile {
    /// What tells one state of the file from another.
    private struct Version: Equatable {
        let inode: UInt64
        let size: Int
        let modification: Int64
    }

    let path: String
    let maximumSize: Int
    private var version: Version?

    nonisolated init(path: String, maximumSize: Int = 64 * 1024) {
        self.path = path
        self.maximumSize = maximumSize
    }

    /// The text, if it is another than at the last call, where it was empty before the first; empty without a readable file.
    mutating func changedText() -> String? {
        var status = stat()
        let isThere = stat(path, &status) == 0 && status.st_size <= maximumSize
        let found =
            isThere
            ? Version(
                inode: UInt64(status.st_ino), size: Int(status.st_size),
                modification: clinux_nanoseconds(status.st_mtim)) : nil
        guard found != version else { return nil }
        version = found
        return found == nil ? "" : read()
    }

    private func read() -> String {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return "" }
        defer { close(fd) }
        var bytes = [UInt8](repeating: 0, count: maximumSize)
        var count = 0
        while count < bytes.count {
            let result = bytes.withUnsafeMutableBytes {
                Glibc.read(fd, $0.baseAddress! + count, $0.count - count)
            }
            if result < 0, errno == EINTR { continue }
            guard result > 0 else { break }
            count += result
        }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
