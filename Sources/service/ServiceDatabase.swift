import LocalPostgres

/// The database the service runs on: one that was named, or a private cluster that lives and ends with the service.
struct ServiceDatabase: Sendable {
    /// Where to connect.
    let url: String
    private let cluster: LocalCluster?

    /// Whether the cluster is our own.
    var isPrivate: Bool { cluster != nil }

    /// Uses `url`; without one starts the private cluster of the project, which takes a second, the first time some more.
    init(url: String?) throws {
        if let url {
            self.url = url
            cluster = nil
        } else {
            let cluster = try LocalCluster.start(in: ProjectPaths.privateClusterDirectory)
            self.cluster = cluster
            self.url = cluster.url
        }
    }

    /// Stops the private cluster, if it is one.
    func stop() { cluster?.stop() }
}
