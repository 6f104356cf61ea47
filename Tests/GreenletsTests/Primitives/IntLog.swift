import ReactorCore

/// What happened, as numbers, for greenlets that write it down.
@ReactorActor final class IntLog {
    var numbers: [Int] = []
    nonisolated init() {}
}
