import CPosixSpawn
import Glibc

/// An open file descriptor, closed when the last reference goes.
///
/// Where the moment of closing matters (locks, pipe ends) the owner keeps the object in a stored property or
/// inside `withExtendedLifetime`.
final class Descriptor: Sendable {
    let number: Int32

    init(owning number: Int32) { self.number = number }

    deinit { close(number) }

    /// Opens `path`, close-on-exec and never through a symbolic link in its last component: the directory may
    /// belong to the server's account while we are root.
    static func open(
        _ path: String, _ flags: Int32, owner: ServerAccount? = nil
    ) throws(LocalPostgresError) -> Descriptor {
        let number = Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard number >= 0 else {
            throw ErrorNumber.current.error("cannot open", path, code: .unusableDirectory)
        }
        let descriptor = Descriptor(owning: number)
        guard let owner, owner.isOther else { return descriptor }
        // Only a file just made by us is handed over, never a second name of one that is someone else's.
        var status = stat()
        guard fstat(number, &status) == 0, status.st_uid == owner.userID || status.st_nlink == 1,
            status.st_uid == owner.userID || fchown(number, owner.userID, owner.groupID) == 0
        else { throw ErrorNumber.current.error("cannot change the owner of", path) }
        return descriptor
    }

    /// An empty file that exists in memory alone: collects a child's output without a pipe to drain, and
    /// hands a script to a shell without a file on disk.
    static func memoryFile(_ name: String) throws(LocalPostgresError) -> Descriptor {
        let number = cposixspawn_memory_file(name)
        guard number >= 0 else { throw ErrorNumber(value: -number).error("memfd_create", name) }
        return Descriptor(owning: number)
    }

    static func pipe() throws(LocalPostgresError) -> (reading: Descriptor, writing: Descriptor) {
        var ends: [Int32] = [-1, -1]
        let result = cposixspawn_pipe(&ends)
        guard result == 0 else { throw ErrorNumber(value: -result).error("pipe2", "") }
        return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
    }

    /// Writes all of `text`; false when the other end is gone or the disk is full.
    @discardableResult
    func write(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// The last `limit` bytes of a file, from byte `start` at the earliest.
    func tail(_ limit: Int, from start: Int = 0) -> String {
        var status = stat()
        guard fstat(number, &status) == 0 else { return "" }
        var offset = max(start, Int(status.st_size) - limit)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = pread(number, &chunk, chunk.count, off_t(offset))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += chunk[..<count]
            offset += count
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
