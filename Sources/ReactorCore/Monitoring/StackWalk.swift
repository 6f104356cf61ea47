import CLinux

/// Return addresses found in the copy of a stack, innermost first.
///
/// Swift keeps frame pointers, so a chain of frame records leads up the stack: each is the address of the next and,
/// above it, a return address. libc keeps none, nor do most libraries. A thread that is inside one is in functions without
/// records, so the way to the first record leads over words that look like return addresses, the word of the first function
/// outside such libraries included; what looks like one is told by the call before it. On an `async` function's record bit 60 of the
/// link is set.
struct StackWalk {
    let sample: UnsafePointer<clinux_sample>
    let map: MemoryMap

    private static let limit = 64
    private static let asyncBit: UInt = 1 << 60

    var addresses: [UInt] {
        guard sample.pointee.sp != 0 || sample.pointee.pc != 0 else { return [] }
        var found = [UInt(sample.pointee.pc)]
        var record = UInt(sample.pointee.fp)
        if !map.keepsFrames(UInt(sample.pointee.pc)) || !isRecord(record) {
            record = scan(&found, until: record)
        }
        while found.count < Self.limit, let (next, returnAddress) = readRecord(record) {
            // A signal's frame or a hand-made stack's end.
            guard map.isCode(returnAddress) else { break }
            found.append(returnAddress)
            guard next > record else { break }
            record = next
        }
        return found
    }

    /// Collects return addresses between the stack pointer and the first frame record; returns that record's address.
    private func scan(_ found: inout [UInt], until known: UInt) -> UInt {
        var isOutside = map.keepsFrames(UInt(sample.pointee.pc))
        var address = UInt(sample.pointee.sp)
        let end = address + UInt(sample.pointee.length)
        while address + 16 <= end {
            if known == 0 ? isRecord(address) && leadsToRecord(word(address)) : address == known {
                return address
            }
            if !isOutside, let word = word(address), map.isReturnAddress(word) {
                found.append(word)
                isOutside = map.keepsFrames(word)
            }
            address += 8
        }
        return 0
    }

    private func word(_ address: UInt) -> UInt? {
        let sp = UInt(sample.pointee.sp)
        guard address >= sp, address & 7 == 0, address - sp + 8 <= UInt(sample.pointee.length) else {
            return nil
        }
        return UnsafeRawPointer(clinux_sample_stack(sample)!).load(
            fromByteOffset: Int(address - sp), as: UInt.self)  // never nil
    }

    private func readRecord(_ address: UInt) -> (next: UInt, returnAddress: UInt)? {
        guard let next = word(address), let returnAddress = word(address &+ 8) else { return nil }
        return (next & ~Self.asyncBit, returnAddress)
    }

    private func isRecord(_ address: UInt) -> Bool {
        guard let (next, returnAddress) = readRecord(address) else { return false }
        return (next > address || next == 0) && next & 7 == 0 && map.isReturnAddress(returnAddress)
    }

    /// Whether a record's link leads to another record, or out of a copy that was cut short. A link of zero is an end, but
    /// zeros are common: alone, it makes no record.
    private func leadsToRecord(_ link: UInt?) -> Bool {
        guard let link = link.map({ $0 & ~Self.asyncBit }) else { return false }
        let length = UInt(sample.pointee.length)
        let end = UInt(sample.pointee.sp) + length
        return isRecord(link) || (length == UInt(CLINUX_SAMPLE_BYTES) && link >= end && link - end < 1 << 23)
    }
}
