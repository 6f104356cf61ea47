public import ReactorCore

extension FileIO {
    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func read(_ count: Int, at offset: Int64? = nil) throws -> [UInt8] {
        try Greenlet.blockingCall { try await self.read(count, at: offset) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64? = nil
    ) throws -> Int {
        let box = UncheckedBox(buffer)  // this frame waits until the operation has ended
        return try Greenlet.blockingCall { try await self.read(into: box.value, at: offset) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func readToEnd() throws -> [UInt8] {
        try Greenlet.blockingCall { try await self.readToEnd() }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func write(_ bytes: [UInt8], at offset: Int64? = nil) throws {
        try Greenlet.blockingCall { try await self.write(bytes, at: offset) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func write(contentsOf buffer: UnsafeRawBufferPointer, at offset: Int64? = nil) throws
        -> Int
    {
        let box = UncheckedBox(buffer)  // as above
        return try Greenlet.blockingCall { try await self.write(contentsOf: box.value, at: offset) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func synchronize(dataOnly: Bool = false) throws {
        try Greenlet.blockingCall { try await self.synchronize(dataOnly: dataOnly) }
    }

    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func close() throws {
        try Greenlet.blockingCall { try await self.close() }
    }
}

extension Reactor {
    /// As the `async` form, for synchronous code in a greenlet.
    public nonisolated func openFile(
        _ path: String, _ access: FileIO.Access = .reading, _ options: FileIO.OpenOptions = [],
        permissions: UInt32 = 0o666
    ) throws -> FileIO {
        try Greenlet.blockingCall {
            try await self.openFile(path, access, options, permissions: permissions)
        }
    }
}
