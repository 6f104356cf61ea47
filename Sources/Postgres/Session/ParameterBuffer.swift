import CLibPQ
import PostgresValues

/// Bound values laid out as libpq wants them; kept by a session and used again for each statement.
struct ParameterBuffer {
    /// How many bytes are kept at most: what a large value needed is let go behind its statement.
    static let keptBytes = 1 << 20

    private var bytes: [UInt8] = []
    private var offsets: [Int] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []
    private var pointers: [UnsafePointer<CChar>?] = []

    /// What is kept at present, in bytes.
    var capacity: Int { bytes.capacity }

    /// Calls `body` with count, values, lengths and formats; they are valid only inside.
    mutating func withParameters<Value>(
        _ parameters: [PostgresParameter],
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> Value
    ) -> Value {
        if parameters.isEmpty { return body(0, nil, nil, nil) }
        bytes.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        formats.removeAll(keepingCapacity: true)
        pointers.removeAll(keepingCapacity: true)
        for parameter in parameters {
            if let value = parameter.bytes {
                offsets.append(bytes.count)
                lengths.append(Int32(value.count))
                bytes.append(contentsOf: value)
                // libpq takes a value in text form to its terminator, whatever the length says.
                bytes.append(0)
            } else {
                offsets.append(-1)
                lengths.append(0)
            }
            formats.append(parameter.format.rawValue)
        }
        defer {
            if bytes.capacity > Self.keptBytes { bytes = [] }
        }
        return bytes.withUnsafeBufferPointer { all in
            for offset in offsets {
                // No value yet had room for a NULL's pointer to matter: -1 becomes nil, which libpq sends as NULL.
                guard offset >= 0, let base = all.baseAddress else {
                    pointers.append(nil)
                    continue
                }
                pointers.append(
                    UnsafeRawPointer(base + offset).assumingMemoryBound(to: CChar.self))  // bytes are bytes
            }
            defer { pointers.removeAll(keepingCapacity: true) }
            return body(Int32(parameters.count), pointers, lengths, formats)
        }
    }
}
