/// A message of DNS (RFC 1035, 4), as far as a stub resolver needs it. Pure.
struct DNSMessage: Hashable, Sendable {
    var id: UInt16
    var isResponse = false
    var isTruncated = false
    var recursionDesired = true
    var recursionAvailable = false
    /// What became of the question.
    var code = DNSResponseCode.noError
    var questions: [DNSQuestion] = []
    var answers: [DNSRecord] = []
    var authorities: [DNSRecord] = []
    var additionals: [DNSRecord] = []

    /// The bytes for a datagram, names uncompressed.
    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(big: id)
        var flags: UInt16 = UInt16(code.rawValue & 0xF)
        if isResponse { flags |= 0x8000 }
        if isTruncated { flags |= 0x0200 }
        if recursionDesired { flags |= 0x0100 }
        if recursionAvailable { flags |= 0x0080 }
        bytes.append(big: flags)
        for count in [questions.count, answers.count, authorities.count, additionals.count] {
            bytes.append(big: UInt16(count))
        }
        for question in questions {
            bytes.append(question.name)
            bytes.append(big: question.type)
            bytes.append(big: question.class)
        }
        for record in answers + authorities + additionals { record.write(to: &bytes) }
        return bytes
    }
}

/// RCODE: what became of a question.
struct DNSResponseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    let rawValue: UInt8

    static let noError = DNSResponseCode(rawValue: 0)
    static let formatError = DNSResponseCode(rawValue: 1)
    static let serverFailure = DNSResponseCode(rawValue: 2)
    static let noSuchName = DNSResponseCode(rawValue: 3)
    static let notImplemented = DNSResponseCode(rawValue: 4)
    static let refused = DNSResponseCode(rawValue: 5)

    /// The name that tools give it.
    var description: String {
        switch self {
        case .noError: "NOERROR"
        case .formatError: "FORMERR"
        case .serverFailure: "SERVFAIL"
        case .noSuchName: "NXDOMAIN"
        case .notImplemented: "NOTIMP"
        case .refused: "REFUSED"
        default: "RCODE \(rawValue)"
        }
    }
}

/// What is asked.
struct DNSQuestion: Hashable, Sendable {
    static let internet: UInt16 = 1

    var name: DNSName
    var type: UInt16
    var `class` = internet
}

/// Types of records.
enum DNSType {
    static let a: UInt16 = 1
    static let cname: UInt16 = 5
    static let soa: UInt16 = 6
    static let aaaa: UInt16 = 28
    static let opt: UInt16 = 41
}

/// One record.
struct DNSRecord: Hashable, Sendable {
    enum Data: Hashable, Sendable {
        /// Four bytes.
        case a([UInt8])
        /// Sixteen bytes.
        case aaaa([UInt8])
        case cname(DNSName)
        /// The start of a zone: how long that something is missing may be remembered, in seconds.
        case soa(minimum: UInt32)
        case other(type: UInt16, [UInt8])
    }

    var name: DNSName
    var `class` = DNSQuestion.internet
    /// Seconds that it may be remembered.
    var ttl: UInt32
    var data: Data

    /// Says that we take datagrams longer than 512 bytes (RFC 6891): no longer than no network fragments.
    static let extendedDatagrams = DNSRecord(
        name: DNSName(labels: []), class: 1232, ttl: 0, data: .other(type: DNSType.opt, []))

    fileprivate func write(to bytes: inout [UInt8]) {
        var type: UInt16
        var content: [UInt8] = []
        switch data {
        case .a(let address): (type, content) = (DNSType.a, address)
        case .aaaa(let address): (type, content) = (DNSType.aaaa, address)
        case .cname(let target):
            type = DNSType.cname
            content.append(target)
        case .soa(let minimum):
            type = DNSType.soa
            content = [UInt8](repeating: 0, count: 2 + 16)  // two names, the root, and four numbers
            content.append(big: UInt16(minimum >> 16))
            content.append(big: UInt16(truncatingIfNeeded: minimum))
        case .other(let number, let raw): (type, content) = (number, raw)
        }
        bytes.append(name)
        bytes.append(big: type)
        bytes.append(big: `class`)
        bytes.append(big: UInt16(ttl >> 16))
        bytes.append(big: UInt16(truncatingIfNeeded: ttl))
        bytes.append(big: UInt16(content.count))
        bytes += content
    }
}

extension [UInt8] {
    fileprivate mutating func append(big number: UInt16) {
        append(UInt8(number >> 8))
        append(UInt8(truncatingIfNeeded: number))
    }

    fileprivate mutating func append(_ name: DNSName) {
        for label in name.labels {
            append(UInt8(label.count))  // 63 at most
            self += label
        }
        append(0)
    }
}
