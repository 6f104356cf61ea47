import Glibc

/// A file system without room, over a directory until `end()`. The right to mount is root's.
struct FullDisk {
    private let directory: String

    /// Whether this process may mount.
    static let isPossible: Bool = {
        var template = Array("/tmp/green-disk-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return false }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { rmdir(directory) }
        guard let disk = FullDisk(over: directory) else { return false }
        disk.end()
        return true
    }()

    /// Hides what is in the directory; its owner stays. Nil without the right.
    init?(over directory: String) {
        var status = stat()
        guard stat(directory, &status) == 0 else { return nil }
        let options = "size=4k,mode=700,uid=\(status.st_uid),gid=\(status.st_gid)"
        guard mount("tmpfs", directory, "tmpfs", 0, options) == 0 else { return nil }
        self.directory = directory
        // Its one page.
        let fd = open("\(directory)/filler", O_CREAT | O_WRONLY, 0o600)
        let page = [UInt8](repeating: 0, count: 4096)
        _ = write(fd, page, page.count)
        close(fd)
    }

    /// There is room again.
    func end() { umount2(directory, Int32(MNT_DETACH)) }
}
