extension [UInt8] {
    /// Appends an integer's bytes in network order.
    @inlinable @inline(__always)
    mutating func appendBigEndian(_ integer: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: integer.bigEndian) { append(contentsOf: $0) }
    }

    /// Appends a number as a cell of a binary COPY: its length and its bytes, in one step.
    @inlinable @inline(__always)
    mutating func appendCell<I: FixedWidthInteger>(_ number: I) {
        let length = UInt32(MemoryLayout<I>.size).bigEndian
        if MemoryLayout<I>.size == 8 {
            // In halves, between which and the length there is no padding.
            let number = UInt64(truncatingIfNeeded: number)
            let (high, low) = (UInt32(number >> 32), UInt32(truncatingIfNeeded: number))
            Swift.withUnsafeBytes(of: (length, high.bigEndian, low.bigEndian)) { append(contentsOf: $0) }
        } else {
            Swift.withUnsafeBytes(of: (length, number.bigEndian)) { append(contentsOf: $0) }
        }
    }

    /// `withUnsafeBytes` that keeps the type of the error.
    func withUnsafeBytesTyped<T, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> T
    ) throws(Failure) -> T {
        let result: Result<T, Failure> = withUnsafeBytes { bytes in
            do throws(Failure) {
                return .success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
