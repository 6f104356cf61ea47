import ReactorCore

/// The values that the greenlets of one tree share.
@ReactorActor
final class TreeLocals {
    var values: [String: any Sendable] = [:]
    nonisolated init() {}
}
