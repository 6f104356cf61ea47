import CLinux

/// One event of inotify(7), unpacked.
struct InotifyEvent {
    /// The watch, or −1 when events were lost.
    let watch: Int32
    let mask: UInt32
    /// Tells the two halves of a move.
    let cookie: UInt32
    /// The entry of a watched directory; nil for what is watched itself.
    let name: String?

    func has(_ bits: Int32) -> Bool { mask & UInt32(bits) != 0 }

    var isDirectory: Bool { mask & UInt32(bitPattern: Int32(truncatingIfNeeded: IN_ISDIR)) != 0 }

    /// What one read has brought: whole events, each as long as its name makes it.
    static func all(in bytes: UnsafeRawBufferPointer) -> [InotifyEvent] {
        var events: [InotifyEvent] = []
        var offset = 0
        let size = MemoryLayout<inotify_event>.size
        while offset + size <= bytes.count {
            let header = bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
            let end = offset + size + Int(header.len)
            let name = bytes[offset + size..<end].prefix { $0 != 0 }
            events.append(
                InotifyEvent(
                    watch: header.wd, mask: header.mask, cookie: header.cookie,
                    name: name.isEmpty ? nil : String(decoding: name, as: UTF8.self)))
            offset = end
        }
        return events
    }
}
