import CLinux
import Glibc

/// One call about a regular file, as the kernel knows it: for `Reactor.perform`.
///
/// The bytes and the path belong to the caller, who keeps them until the operation has ended.
package struct FileOperation {
    let raw: clinux_file_operation

    /// openat(2): the result is a descriptor.
    ///
    /// - Parameters:
    ///   - flags: as open(2) takes them; nothing is added.
    ///   - directory: where a relative path starts.
    package static func open(
        _ path: UnsafePointer<CChar>, flags: Int32, mode: UInt32, in directory: Int32 = AT_FDCWD
    ) -> FileOperation {
        var raw = clinux_file_operation()
        raw.code = Int32(CLINUX_FILE_OPEN.rawValue)
        raw.fd = directory
        raw.address = UnsafeMutableRawPointer(mutating: path)  // only read
        raw.flags = flags
        raw.mode = mode
        return FileOperation(raw: raw)
    }

    /// read(2), or pread(2) with an offset: the result is a count.
    package static func read(
        _ fd: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int64? = nil
    ) -> FileOperation {
        FileOperation(raw: transfer(CLINUX_FILE_READ, fd, bytes.baseAddress, bytes.count, offset))
    }

    /// write(2), or pwrite(2) with an offset: the result is a count.
    package static func write(
        _ fd: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int64? = nil
    ) -> FileOperation {
        let address = UnsafeMutableRawPointer(mutating: bytes.baseAddress)  // only read
        return FileOperation(raw: transfer(CLINUX_FILE_WRITE, fd, address, bytes.count, offset))
    }

    /// fsync(2), or fdatasync(2).
    package static func synchronize(_ fd: Int32, dataOnly: Bool = false) -> FileOperation {
        FileOperation(raw: transfer(dataOnly ? CLINUX_FILE_SYNC_DATA : CLINUX_FILE_SYNC, fd, nil, 0, 0))
    }

    /// close(2).
    package static func close(_ fd: Int32) -> FileOperation {
        FileOperation(raw: transfer(CLINUX_FILE_CLOSE, fd, nil, 0, 0))
    }

    private static func transfer(
        _ code: clinux_file_code, _ fd: Int32, _ address: UnsafeMutableRawPointer?, _ length: Int,
        _ offset: Int64?
    ) -> clinux_file_operation {
        var raw = clinux_file_operation()
        raw.code = Int32(code.rawValue)
        raw.fd = fd
        raw.address = address
        raw.length = UInt64(length)
        // Below zero is an error, whichever engine does it; −1 means another thing to them.
        raw.offset = offset.map { $0 < 0 ? .min : $0 } ?? -1
        return raw
    }

    /// Whether it reads or moves the file's current position.
    var usesPosition: Bool {
        raw.offset == -1 && (raw.code == CLINUX_FILE_READ.rawValue || raw.code == CLINUX_FILE_WRITE.rawValue)
    }

    /// Why pread(2) and pwrite(2) would refuse it at once, as −errno, or 0.
    var invalidity: Int { raw.offset < -1 ? -Int(EINVAL) : 0 }

    /// Whether a ring must not even try it on the reactor's thread: to copy a megabyte takes as long as a hundred
    /// jobs, and the last close of a deleted file frees its blocks.
    var isLong: Bool {
        raw.length > 65_536 || raw.code == CLINUX_FILE_CLOSE.rawValue
    }

    /// Does it on the calling thread, blocking it.
    func perform() -> Int {
        withUnsafePointer(to: raw) { Int(clinux_file_perform($0)) }
    }
}
