import Synchronization

/// Data as initdb leaves it, made once in a process and copied for each throw-away cluster: initdb takes a
/// second of processor time, a copy a tenth of that.
enum ClusterTemplate {
    private static let made = Mutex<String?>(nil)

    /// The directory to copy. Its home is one of a throw-away cluster whose server is never started.
    static func data(
        _ binaries: ServerBinaries, _ account: ServerAccount
    ) throws(LocalPostgresError) -> String {
        try made.withLock { (made) throws(LocalPostgresError) -> String in
            if let made { return made }
            let home = try ClusterHome.temporary(for: account)
            let control = ServerControl(home: home, binaries: binaries, settings: [])
            let cluster = try LocalCluster.withoutServer(control)
            do throws(LocalPostgresError) {
                try control.initialise()
            } catch {
                cluster.stop()
                throw error
            }
            made = home.dataDirectory
            return home.dataDirectory
        }
    }
}
