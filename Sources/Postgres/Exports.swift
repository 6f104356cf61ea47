// SQL literals and the types of values belong to every use of a database: one import brings both.
@_exported public import PostgresValues

/// A pool's numbers, without the machine that counts them.
@_exported public import struct ConnectionPools.PoolCounts
