// SQL literals and the types of values belong to every use of a database: one import brings both.
@_exported public import PostgresValues

/// A pool's numbers and choices, without the machine behind them.
@_exported public import struct ConnectionPools.PoolCounts
@_exported public import enum ConnectionPools.PoolReuse
@_exported public import struct ConnectionPools.WaitHistogram
