import Glibc
import Postgres
import ReactorCore
import Testing

@testable import LocalPostgres

/// PgBouncer, in transaction mode unless said otherwise, in front of a cluster, with two sessions of the server's to share out.
final class PgBouncer: Sendable {
    static let path: String? = {
        let places: [String] = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"]
        return places.first { access($0, X_OK) == 0 }
    }()

    private let processID: pid_t
    /// Where it listens.
    let configuration: PostgresConfiguration

    init(before cluster: LocalCluster, mode: String = "transaction") throws {
        let control = cluster.control
        try control.write(
            """
            [databases]
            * = host=\(cluster.socketDirectory) port=\(ClusterHome.port) user=\(ClusterHome.superuser)
            [pgbouncer]
            listen_addr =
            unix_socket_dir = \(cluster.socketDirectory)
            listen_port = 6432
            auth_type = any
            pool_mode = \(mode)
            default_pool_size = 2
            max_client_conn = 100
            """, to: "pgbouncer.ini")
        let program = try #require(Self.path)
        processID = try control.home.account.command(
            program, ["-q", "\(control.home.dataDirectory)/pgbouncer.ini"]
        ).start([])
        var configuration = try PostgresConfiguration(cluster.url)
        configuration["port"] = "6432"
        self.configuration = configuration
        for _ in 0..<1000 where access("\(cluster.socketDirectory)/.s.PGSQL.6432", F_OK) != 0 {
            usleep(10_000)
        }
    }

    /// Ends it. What waits for a child blocks, for a moment.
    func stop() {
        kill(processID, SIGKILL)
        _ = Command.wait(for: processID)
    }
}
