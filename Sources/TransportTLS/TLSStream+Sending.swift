import ReactorCore

extension TLSStream {
    /// Encrypted together: the memory that a long send needs beside the bytes themselves.
    private static let piece = 1 << 16

    /// Parks until the kernel has taken all of `bytes`, encrypted.
    ///
    /// - Throws: see `TLSStream`. An unknown part of the bytes is on its way then; what is sent next follows on it.
    public func sendAll(_ bytes: [UInt8], timeout: Duration? = nil) async throws {
        try await perform("send", \.isWriting, timeout) { deadline in
            var rest = bytes[...]
            repeat {
                try await encryptAndSend(rest.prefix(Self.piece), deadline)
                rest = rest.dropFirst(Self.piece)
            } while !rest.isEmpty
        }
    }

    /// Parks until the kernel has taken all of the text, in UTF-8, encrypted. As the form with bytes.
    public func sendAll(_ text: String, timeout: Duration? = nil) async throws {
        try await sendAll(Array(text.utf8), timeout: timeout)
    }
}
