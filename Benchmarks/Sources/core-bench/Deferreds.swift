import Measuring
import ReactorCore

/// A Deferred made, given three callbacks and fired.
let deferredBenchmarks = [
    Benchmark("deferred") { count in
        var last = 0
        for number in 0..<count {
            let deferred = Deferred<Int>()
            deferred.addCallback { $0 + 1 }.addCallback { $0 + 1 }.addCallback { last = $0 }
            try deferred.callback(number)
        }
        precondition(last == count + 1, "the last callback got \(last)")
    }
]
