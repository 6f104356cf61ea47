extension Reactor {
    /// Calls `onReadable` in every turn in which a read of `fd` would not block, until `removeReader`.
    /// Reactor only; never waits.
    ///
    /// For a descriptor that its caller owns and will announce through `descriptorWillClose`. The callback
    /// may remove itself, and may close the descriptor. One that throws is removed, so that it cannot spin,
    /// and its error goes to `onUncaughtError` with the place of this call; closing the descriptor stays its
    /// owner's business.
    /// - Throws: `ReactorError` with code `descriptorBusy` or `descriptorClosed`, or `systemCall` for a file
    ///   that cannot be waited for (a regular one).
    @ReactorActor public func addReader(
        _ fd: Int32, _ onReadable: @escaping @ReactorActor () throws -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) throws {
        let site = CallSite(file, line)
        try addReader(fd, .init(onReadable, site: site, isInternal: false))
    }

    /// Watches for the reactor itself, or for a user.
    @ReactorActor func addReader(_ fd: Int32, _ callback: DescriptorTable.Callback) throws {
        try checkFree(fd, .readable)
        descriptors[fd].reader = .callback(callback)
        let result = register(fd, adding: .readable)
        guard result == 0 else {
            descriptors[fd].reader = nil
            throw Self.registrationError(fd, result)
        }
    }

    /// Calls `onWritable` in every turn in which a write to `fd` would not block, until `removeWriter`. As
    /// `addReader`.
    @ReactorActor public func addWriter(
        _ fd: Int32, _ onWritable: @escaping @ReactorActor () throws -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) throws {
        try checkFree(fd, .writable)
        let site = CallSite(file, line)
        descriptors[fd].writer = .callback(.init(onWritable, site: site, isInternal: false))
        let result = register(fd, adding: .writable)
        guard result == 0 else {
            descriptors[fd].writer = nil
            throw Self.registrationError(fd, result)
        }
    }

    /// Ends `addReader`. Does nothing when there is no such callback. No further call follows, not even in
    /// this turn. Reactor only; never waits.
    @ReactorActor public func removeReader(_ fd: Int32) {
        let entry = descriptors[fd]
        guard case .callback? = entry.reader else { return }
        descriptors[fd].reader = nil
        register(fd)
        // The callback may hold the last reference to an object that uses the reactor as it ends: not inside
        // the table.
        withExtendedLifetime(entry) {}
    }

    /// Ends `addWriter`. As `removeReader`.
    @ReactorActor public func removeWriter(_ fd: Int32) {
        let entry = descriptors[fd]
        guard case .callback? = entry.writer else { return }
        descriptors[fd].writer = nil
        register(fd)
        withExtendedLifetime(entry) {}  // as in removeReader
    }

    /// Ends every `addReader` and `addWriter`. Reactor only; never waits.
    ///
    /// Parked tasks go on waiting, and so does the reactor itself for signals and foreign threads.
    /// - Returns: the descriptors that had one, in ascending order: their owners may want to close them.
    @ReactorActor @discardableResult
    public func removeAll() -> [Int32] {
        let removed = descriptors.numbers { $0.reader?.callback != nil || $0.writer?.callback != nil }
        for fd in removed {
            if descriptors[fd].reader?.callback != nil { removeReader(fd) }
            if descriptors[fd].writer?.callback != nil { removeWriter(fd) }
        }
        return removed
    }

    /// Descriptors with a callback of `addReader`, in ascending order. Reactor only.
    @ReactorActor public var readers: [Int32] { descriptors.numbers { $0.reader?.callback != nil } }

    /// Descriptors with a callback of `addWriter`, in ascending order. Reactor only.
    @ReactorActor public var writers: [Int32] { descriptors.numbers { $0.writer?.callback != nil } }

    /// Calls a callback, and takes it out when it throws.
    @ReactorActor func call(_ callback: DescriptorTable.Callback, _ fd: Int32) {
        do { try callback.call() } catch {
            // By its identity: it may have closed the descriptor, and the number have another owner by now.
            var direction = "removed"
            if case .callback(let other)? = descriptors[fd].reader, other === callback {
                direction = "reader"
                removeReader(fd)
            } else if case .callback(let other)? = descriptors[fd].writer, other === callback {
                direction = "writer"
                removeWriter(fd)
            }
            onUncaughtError(error, "the \(direction) callback of descriptor \(fd) added at \(callback.site)")
        }
    }
}
