/// Bytes that are no message of DNS.
struct DNSFormatError: Error, Equatable { let reason: String }

/// Reads a message. Whatever the bytes are, it ends: with a message or with an error. Pure.
struct DNSReader {
    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The message that the bytes are. Of one that says it was cut short (TC) the records up to the cut.
    static func message(_ bytes: [UInt8]) throws(DNSFormatError) -> DNSMessage {
        var reader = DNSReader(bytes)
        return try reader.message()
    }

    private mutating func message() throws(DNSFormatError) -> DNSMessage {
        var message = DNSMessage(id: try number())
        let flags = try number()
        message.isResponse = flags & 0x8000 != 0
        message.isTruncated = flags & 0x0200 != 0
        message.recursionDesired = flags & 0x0100 != 0
        message.recursionAvailable = flags & 0x0080 != 0
        message.code = DNSResponseCode(rawValue: UInt8(flags & 0xF))
        let counts = (try number(), try number(), try number(), try number())
        for _ in 0..<counts.0 {
            message.questions.append(
                DNSQuestion(name: try name(), type: try number(), class: try number()))
        }
        do throws(DNSFormatError) {
            for _ in 0..<counts.1 { message.answers.append(try record()) }
            for _ in 0..<counts.2 { message.authorities.append(try record()) }
            for _ in 0..<counts.3 { message.additionals.append(try record()) }
        } catch {
            guard message.isTruncated else { throw error }
        }
        return message
    }

    private mutating func record() throws(DNSFormatError) -> DNSRecord {
        let name = try name()
        let type = try number()
        let `class` = try number()
        // One with its highest bit set means none at all (RFC 2181, 8).
        let ttl = UInt32(try number()) << 16 | UInt32(try number())
        let length = Int(try number())
        let end = position + length
        guard end <= bytes.count else { throw DNSFormatError(reason: "a record goes beyond the end") }
        let content = Array(bytes[position..<end])
        var data = DNSRecord.Data.other(type: type, content)
        if `class` == DNSQuestion.internet {
            switch type {
            case DNSType.a where length == 4: data = .a(content)
            case DNSType.aaaa where length == 16: data = .aaaa(content)
            case DNSType.a, DNSType.aaaa:
                throw DNSFormatError(reason: "an address of \(length) bytes")
            case DNSType.cname:
                data = .cname(try self.name())
                guard position == end else { throw DNSFormatError(reason: "an alias of another length") }
            case DNSType.soa:
                _ = try self.name()
                _ = try self.name()
                position += 16
                data = .soa(minimum: UInt32(try number()) << 16 | UInt32(try number()))
                guard position == end else {
                    throw DNSFormatError(reason: "a start of a zone of another length")
                }
            default: break
            }
        }
        position = end
        let isRemembered = type == DNSType.opt || ttl < 1 << 31
        return DNSRecord(name: name, class: `class`, ttl: isRemembered ? ttl : 0, data: data)
    }

    private mutating func number() throws(DNSFormatError) -> UInt16 {
        guard position + 2 <= bytes.count else { throw DNSFormatError(reason: "it ends too early") }
        defer { position += 2 }
        return UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
    }

    /// A name, whose end may be that of an earlier one: two bytes that point there.
    ///
    /// Each pointer must point before the part of the name that it ends, as all that are made in good faith do: so a loop of
    /// them cannot be followed.
    private mutating func name() throws(DNSFormatError) -> DNSName {
        var labels: [[UInt8]] = []
        var length = 1
        var place = position
        var partStart = position
        var end: Int?
        while true {
            guard place < bytes.count else { throw DNSFormatError(reason: "a name goes beyond the end") }
            let head = bytes[place]
            switch head & 0xC0 {
            case 0 where head == 0:
                position = end ?? place + 1
                return DNSName(labels: labels)
            case 0:
                let next = place + 1 + Int(head)
                guard next <= bytes.count else { throw DNSFormatError(reason: "a name goes beyond the end") }
                length += 1 + Int(head)
                guard length <= 255 else { throw DNSFormatError(reason: "a name of more than 255 bytes") }
                labels.append(Array(bytes[place + 1..<next]))
                place = next
            case 0xC0:
                guard place + 1 < bytes.count else {
                    throw DNSFormatError(reason: "a name goes beyond the end")
                }
                let target = Int(head & 0x3F) << 8 | Int(bytes[place + 1])
                guard target < partStart else { throw DNSFormatError(reason: "a name points forward") }
                if end == nil { end = place + 2 }
                place = target
                partStart = target
            default: throw DNSFormatError(reason: "a label of an unknown kind")
            }
        }
    }
}
