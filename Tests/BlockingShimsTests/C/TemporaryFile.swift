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
        // Not by reading a byte without waiting: that makes the kernel fetch the page.
        let isInMemory = [0x0102_1994, 0x8584_58f6].contains(fileSystemType(of: fd))  // tmpfs, ramfs
        return fsync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0 && !isInMemory
    }
}
