/// How a pool runs single statements: `query`, `execute`, `one`.
public enum PostgresPoolMode: Hashable, Sendable {
    /// Each has a connection to itself while it runs. Default.
    case exclusive
    /// Each has a connection to itself while no more of them run than there are connections. When there are more, reads that are
    /// known to be quick share connections instead of waiting for one: more than twice as many of them per second under load,
    /// and as ever without it. They share as few as they fill, and leave the others to whoever needs one to himself.
    ///
    /// - A read is a `SELECT`, `VALUES`, `TABLE` or `WITH` that neither writes nor locks rows nor touches its session, as far as its
    ///   text tells; it is known to be quick when it was before (10 ms). All else has a connection to itself, as have
    ///   `transaction`, `withConnection` and `withPipeline`, and whatever is asked for by a greenlet that holds one.
    /// - Up to 8 reads follow each other down a shared connection. A read that is slow all of a sudden, by a table that somebody
    ///   has locked say, holds up those that were sent behind it already.
    /// - Whoever needs a connection to himself comes first: for each such waiter one that is shared takes no more reads and is
    ///   his as soon as it has answered those it was sent. Order of arrival and `acquireTimeout` hold as ever, for reads too.
    /// - A cancelled read that was sent but has others before it may still run; its caller does not wait for it. When a
    ///   connection breaks, each read sent and not answered on it fails with `connectionLost`.
    /// - Nothing is shared in a pool that looks after each loan: with the hooks `onAcquire` or `onRelease`, `check` or `reset`
    ///   `.always`, or while it is paused.
    case automatic
    /// Statements of all greenlets share up to so many connections, on which they follow each other without waiting for the answers.
    ///
    /// Several times as many small statements per second, on fewer connections. Each is still a transaction of its own; an
    /// error or a cancellation concerns its own caller only. What differs:
    /// - Statements that are not plain `SELECT`, `INSERT`, `UPDATE`, `DELETE`, `MERGE`, `WITH`, `VALUES` or `TABLE`, or that
    ///   mention advisory locks, `set_config` or temporary tables, get a connection to themselves, as do `transaction`,
    ///   `withConnection` and `withPipeline`, and whatever is asked for by a greenlet that holds one. All count towards the
    ///   pool's maximum.
    /// - Behind a statement whose text has not been run before, or was slow of late (10 ms), nothing is sent until it is answered.
    ///   So texts should be few: bind values instead of writing them into the text. A statement that is slow all of
    ///   a sudden, by a lock say, holds up those that were sent behind it already, 31 at most.
    /// - A cancelled statement that was sent but had others before it may still take effect; its caller does not wait for it, and
    ///   gets `outcomeUnknown` where it may write. One that was not sent never is; one that runs is cancelled on the server, and
    ///   its caller waits for that.
    /// - When a connection breaks, every statement sent and not answered on it fails with `connectionLost`; whether it took
    ///   effect is not known. Those not sent go to another connection.
    /// - A time limit counts from when the statement is sent. To be sent it waits for up to `acquireTimeout`.
    case multiplexed(connections: Int)
}
