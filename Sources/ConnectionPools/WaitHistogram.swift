/// How long borrowers waited, in buckets that grow by a quarter of a power of two: percentiles within 20 %, in 1 KiB, for ever.
public struct WaitHistogram: Sendable {
    /// Four buckets for each power of two of microseconds, up to 2³¹ µs, 36 minutes.
    @usableFromInline var buckets = [UInt64](repeating: 0, count: 128)
    /// How many waits were noted.
    public private(set) var count: UInt64 = 0
    /// The longest wait noted.
    public private(set) var longest = Duration.zero

    /// No waits.
    public init() {}

    /// Notes one wait.
    public mutating func record(_ wait: Duration) {
        let parts = wait.components
        let microseconds = parts.seconds &* 1_000_000 &+ parts.attoseconds / 1_000_000_000_000
        buckets[Self.bucket(of: max(0, microseconds))] += 1
        count += 1
        if wait > longest { longest = wait }
    }

    /// The time that a share of all borrowers did not exceed, rounded up to its bucket's end; zero without any.
    ///
    /// - Parameters:
    ///   - share: 0.5 for the median, 0.99 for all but one in a hundred.
    ///   - immediate: how many borrowers besides did not wait at all.
    public func percentile(_ share: Double, immediate: Int = 0) -> Duration {
        let all = count + UInt64(max(0, immediate))
        guard all > 0 else { return .zero }
        // Rounded up by hand: `rounded(.up)` needs the C library's mathematics.
        let exact = Double(all) * min(max(share, 0), 1)
        let rank = UInt64(exact) + (Double(UInt64(exact)) < exact ? 1 : 0)
        var seen = all - count
        if rank <= seen { return .zero }
        for (index, number) in buckets.enumerated() {
            seen += number
            if seen >= rank { return min(.microseconds(Self.end(of: index)), longest) }
        }
        return longest
    }

    /// 0…3 are exact; above, the two bits after the leading one choose among four.
    static func bucket(of microseconds: Int64) -> Int {
        guard microseconds >= 4 else { return Int(microseconds) }
        let power = 63 - microseconds.leadingZeroBitCount
        return min(127, power * 4 - 4 + Int(microseconds >> (power - 2)) & 3)
    }

    /// The first value beyond the bucket.
    static func end(of bucket: Int) -> Int64 {
        guard bucket >= 4 else { return Int64(bucket) + 1 }
        let power = (bucket + 4) / 4
        return Int64(4 + bucket % 4 + 1) << (power - 2)
    }
}
