import Glibc
import Greenlets
import Measuring
import ReactorCore

/// What a hundred thousand parked greenlets take of real memory, in MiB.
let memoryBenchmarks = [
    Benchmark("parked-fibers") {
        try await growth { wake in Greenlet.spawn { try wake.wait() } }
    },
    Benchmark("parked-async") {
        try await growth { wake in Greenlet.spawn { () async throws in try await wake.wait() } }
    },
]

@ReactorActor
private func growth(_ spawn: @ReactorActor (Event) -> Greenlet<Void>) async throws -> Double {
    let wake = Event()
    let before = residentBytes()
    let greenlets = (0..<100_000).map { _ in spawn(wake) }
    while wake.waiterCount < greenlets.count { await reactor.yield() }
    let after = residentBytes()
    wake.set()
    for greenlet in greenlets { try await greenlet.get() }
    return Double(after - before) / 1_048_576
}

private func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard fgets(&line, 128, file) != nil else { return 0 }
    let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(
        separator: " ")
    return (Int(words[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
}
