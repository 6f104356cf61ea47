import CLinux
import Glibc

/// A directory of its own with one empty file in it, both removed at the end of the scope that holds it.
final class TemporaryFile {
    let directory: String
    let path: String
    let fd: Int32

    init() {
        var name = Array("/tmp/blocking-shims-XXXXXX".utf8CString)
        precondition(mkdtemp(&name) != nil, "mkdtemp failed: \(errno)")
        directory = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        path = directory + "/file"
        fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
        precondition(fd >= 0, "open of \(path) failed: \(errno)")
    }

    deinit {
        close(fd)
        unlink(path)
        unlink(fifo)
        rmdir(directory)
    }

    /// Where `makeFIFO` makes one.
    var fifo: String { directory + "/fifo" }

    func makeFIFO() { precondition(mkfifo(fifo, 0o600) == 0, "mkfifo of \(fifo) failed: \(errno)") }

    /// Drops the file's pages from the page cache. Returns whether they are gone: memory file systems keep them.
    func evict() -> Bool {
        fsync(fd)
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)
        var byte: UInt8 = 0
        return withUnsafeMutableBytes(of: &byte) { byte in
            var part = iovec(iov_base: byte.baseAddress, iov_len: 1)
            return preadv2(fd, &part, 1, 0, 8) == -1 && errno == EAGAIN  // RWF_NOWAIT
        }
    }
}
