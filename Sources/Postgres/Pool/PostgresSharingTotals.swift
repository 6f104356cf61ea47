/// What statements that share connections have done, in the modes `.multiplexed` and `.automatic`; counts from the pool's creation.
public struct PostgresSharingTotals: Hashable, Sendable {
    /// Statements sent on shared connections, those that went out again included.
    public var statements = 0
    /// Sends that carried them: what one connection gets in one turn of the reactor goes by one, so this is a bound for the round
    /// trips that somebody waited for. Over TLS each statement is sent by itself.
    public var batches = 0
    /// Most statements that one connection has had outstanding at once.
    public var longestPipeline = 0
    /// Statements that took no effect, hit by a neighbour's cancel request or with a plan out of date, and went out again unseen.
    public var reruns = 0
    /// Shared connections given up because somebody waited for one to himself.
    public var givenWay = 0

    /// Creates zeros.
    public init() {}
}
