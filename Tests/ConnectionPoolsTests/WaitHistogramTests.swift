import Testing

@testable import ConnectionPools

@Suite struct WaitHistogramTests {
    @Test func percentilesAreWithinAFifth() {
        var histogram = WaitHistogram()
        for milliseconds in 1...1000 { histogram.record(.milliseconds(milliseconds)) }
        for (share, exact) in [(0.5, 500.0), (0.9, 900), (0.99, 990), (1, 1000)] {
            let found = histogram.percentile(share) / .milliseconds(1)
            #expect(found >= exact && found <= exact * 1.25, "\(share): \(found)")
        }
        #expect(histogram.count == 1000 && histogram.longest == .seconds(1))
    }

    @Test func whoDidNotWaitCountsWithZero() {
        var histogram = WaitHistogram()
        histogram.record(.seconds(1))
        #expect(histogram.percentile(0.5, immediate: 99) == .zero)
        #expect(histogram.percentile(0.995, immediate: 99) == .seconds(1))
        #expect(WaitHistogram().percentile(0.99) == .zero)
    }

    @Test func everyWaitHasABucketAndBucketsGrow() {
        var last = -1
        for power in 0..<62 {
            for value in [Int64(1) << power, (Int64(1) << power) + Int64(1) << power / 2] {
                let bucket = WaitHistogram.bucket(of: value)
                #expect(bucket >= last && bucket < 128)
                if bucket < 127 { #expect(WaitHistogram.end(of: bucket) > value) }
                last = max(last, bucket)
            }
        }
        var histogram = WaitHistogram()
        histogram.record(.seconds(-1))
        histogram.record(.seconds(1_000_000))
        #expect(histogram.percentile(1) == .seconds(1_000_000) || histogram.percentile(1) > .seconds(2000))
    }
}
