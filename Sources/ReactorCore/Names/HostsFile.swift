import CLinux
import Glibc

/// A hosts(5) file on disk, read again when it has changed.
///
/// Reactor only, and read there: a look at its metadata a look-up, a few kilobytes after a change. A list of
/// hundreds of kilobytes (advertisers, say) would stand in the loop's way; it is left to the system's resolver,
/// which reads it on a worker thread.
@ReactorActor
final class HostsFile {
    /// What tells one state of the file from another.
    private struct Version: Equatable {
        let inode: UInt64
        let size: Int
        let modification: Int64
    }

    private let path: String
    private let maximumSize: Int
    private var version: Version?
    private var table = HostsTable("")

    nonisolated init(path: String, maximumSize: Int = 64 * 1024) {
        self.path = path
        self.maximumSize = maximumSize
    }

    /// The addresses of a canonical name as the file has it now; none when there is no readable file.
    func addresses(of name: String, _ family: AddressFamily) -> [ResolvedAddress] {
        refresh()
        return table.addresses(of: name, family)
    }

    private func refresh() {
        var status = stat()
        let isThere = stat(path, &status) == 0 && status.st_size <= maximumSize
        let found =
            isThere
            ? Version(
                inode: UInt64(status.st_ino), size: Int(status.st_size),
                modification: clinux_nanoseconds(status.st_mtim)) : nil
        guard found != version else { return }
        version = found
        table = HostsTable(found == nil ? "" : read())
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
