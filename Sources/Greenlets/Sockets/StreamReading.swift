package import ReactorCore

/// A stream of bytes that is read ahead: the reads that are made of several.
///
/// `receive` gets the most that is wanted, parks until something has come, and returns it, empty at the end of the stream. When it
/// throws, what had come by then is there for the next read.
@ReactorActor
package protocol StreamReading: AnyObject {
    var readAhead: ReadAhead { get set }
}

extension StreamReading {
    package typealias Receive = @ReactorActor (Int) async throws -> [UInt8]

    package func read(atMost limit: Int, _ receive: Receive) async throws -> [UInt8] {
        if !readAhead.isEmpty { return readAhead.take(atMost: limit) }
        let bytes = try await receive(limit)
        guard bytes.count > limit else { return bytes }
        readAhead.append(bytes)
        return readAhead.take(atMost: limit)
    }

    package func read(exactly count: Int, _ receive: Receive) async throws -> [UInt8] {
        while readAhead.count < count {
            let more = try await receive(count - readAhead.count)
            guard !more.isEmpty else {
                throw GreenletError(
                    .endOfStream, "the peer ended the stream after \(readAhead.count) of \(count) bytes")
            }
            readAhead.append(more)
        }
        return readAhead.take(atMost: count)
    }

    package func readToEnd(atMost limit: Int, _ receive: Receive) async throws -> [UInt8] {
        while true {
            guard readAhead.count <= limit else {
                throw GreenletError(.tooLong, "the peer sent more than \(limit) bytes")
            }
            let more = try await receive(65_536)
            if more.isEmpty { return readAhead.take(atMost: .max) }
            readAhead.append(more)
        }
    }

    package func readLine(atMost limit: Int, _ receive: Receive) async throws -> [UInt8]? {
        while true {
            if var line = readAhead.takeLine() {
                line.removeLast()
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                guard line.count <= limit else { throw lineTooLong(limit) }
                return line
            }
            // One more may be the \r of its end.
            guard readAhead.count - 1 <= limit else { throw lineTooLong(limit) }
            let more = try await receive(65_536)
            if more.isEmpty {
                guard readAhead.count <= limit else { throw lineTooLong(limit) }
                return readAhead.isEmpty ? nil : readAhead.take(atMost: limit)
            }
            readAhead.append(more)
        }
    }

    private func lineTooLong(_ limit: Int) -> GreenletError {
        GreenletError(.tooLong, "the peer sent a line of more than \(limit) bytes")
    }
}

/// Refuses counts that no read can have.
package func checkByteCount(_ count: Int, _ name: String) throws(GreenletError) {
    guard count > 0 else {
        throw GreenletError(.invalidArgument, "a \(name) of \(count) bytes: give one or more")
    }
}
