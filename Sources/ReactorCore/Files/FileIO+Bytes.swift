import Glibc

extension FileIO {
    /// The most that the kernel reads or writes in one call.
    private static let maximum = 0x7fff_f000

    // MARK: Reading

    /// Reads up to `count` bytes: fewer at the end of the file, none behind it.
    ///
    /// - Parameters:
    ///   - offset: where in the file; nil for its position, which moves by what was read.
    /// - Throws: `ReactorError` with code `systemCall` and errno; `descriptorClosed` when the file is closed;
    ///   `CancellationError` when the task was cancelled before, and nothing was read.
    /// - Precondition: `count` is not negative.
    public func read(_ count: Int, at offset: Int64? = nil) async throws -> [UInt8] {
        precondition(count >= 0, "read(\(count)) of \(path): a count is not negative")
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(count, Self.maximum), alignment: 1)
        defer { buffer.deallocate() }
        let result = try await read(into: buffer, at: offset)
        return [UInt8](buffer[..<result])
    }

    /// As `read(_:at:)`, into the caller's memory, which is used until this returns. Returns how many bytes.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64? = nil) async throws -> Int
    {
        try checkOffset(offset, "read")
        try begin("read")
        defer { end() }
        let result = await reactor.perform(.read(descriptor, into: buffer, at: offset))
        return try check(result, "read of \(buffer.count) bytes\(place(offset))")
    }

    /// Reads from the file's position to its end.
    ///
    /// - Throws: as `read(_:at:)`; the position has moved by what had been read.
    public func readToEnd() async throws -> [UInt8] {
        var bytes: [UInt8] = []
        var count = 16_384
        while true {
            let part = try await read(count)
            guard !part.isEmpty else { return bytes }
            bytes += part
            // As much again: few calls for a long file, little memory for a short one.
            count = min(max(count, bytes.count), 1 << 24)
        }
    }

    // MARK: Writing

    /// Writes all of `bytes`.
    ///
    /// - Parameters:
    ///   - offset: where in the file; nil for its position, which moves by what was written.
    /// - Throws: as `read(_:at:)`. When the device is full, the first part may have been written. Cancelled before,
    ///   nothing was; cancelled after, all is.
    public func write(_ bytes: [UInt8], at offset: Int64? = nil) async throws {
        try checkOffset(offset, "write")
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: bytes)
        try begin("write")
        defer { end() }
        var written = 0
        repeat {
            let rest = UnsafeRawBufferPointer(rebasing: buffer[written...])
            let result = try await writeOnce(rest, at: offset.map { $0 + Int64(written) })
            // Nothing written and no error: writing on would go on for ever.
            guard result > 0 || rest.isEmpty else {
                throw ReactorError(
                    .systemCall, "write of \(rest.count) bytes\(place(offset)) of \(path) wrote none")
            }
            written += result
        } while written < bytes.count
    }

    /// Writes as much of the caller's memory as one system call does; it is used until this returns. Returns how many
    /// bytes. Otherwise as `write(_:at:)`.
    public func write(contentsOf buffer: UnsafeRawBufferPointer, at offset: Int64? = nil) async throws -> Int
    {
        try checkOffset(offset, "write")
        try begin("write")
        defer { end() }
        return try await writeOnce(buffer, at: offset)
    }

    private func writeOnce(_ buffer: UnsafeRawBufferPointer, at offset: Int64?) async throws -> Int {
        let result = await reactor.perform(.write(descriptor, buffer, at: offset))
        return try check(result, "write of \(buffer.count) bytes\(place(offset))")
    }

    private func checkOffset(_ offset: Int64?, _ name: String) throws {
        guard let offset, offset < 0 else { return }
        throw ReactorError(
            .invalidArgument, "\(name) of \(path) at \(offset): an offset is not negative", errno: EINVAL)
    }

    private func place(_ offset: Int64?) -> String { offset.map { " at \($0)" } ?? "" }
}
