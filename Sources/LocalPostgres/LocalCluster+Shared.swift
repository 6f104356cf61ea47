import Synchronization

extension LocalCluster {
    private static let sharedCluster = Mutex<LocalCluster?>(nil)

    /// The throw-away cluster of this process: started by the first call, stopped when the process ends.
    ///
    /// Tests share it and each takes a database of its own with ``createDatabase(_:)``. Who kills or stops a
    /// server takes a ``temporary(settings:)`` one instead.
    ///
    /// - Throws: ``LocalPostgresError`` as ``temporary(settings:)`` does; the next call tries again.
    public static func shared() throws(LocalPostgresError) -> LocalCluster {
        try sharedCluster.withLock { (cluster) throws(LocalPostgresError) -> LocalCluster in
            if let cluster { return cluster }
            let started = try temporary()
            cluster = started
            return started
        }
    }
}
