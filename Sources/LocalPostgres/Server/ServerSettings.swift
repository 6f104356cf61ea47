/// The settings a private server is started with, as `-c name=value`: they win over the files in the data
/// directory.
enum ServerSettings {
    /// What makes the server private, whatever else is asked for.
    ///
    /// `trust` authentication (see `initdb`) is as good as a password here: there is no TCP, and the socket
    /// is in a directory of mode 0700, so who can connect is who could read the data files anyway: the
    /// server's account and root. `peer` would need the account's name mapped to the superuser's, for no
    /// gain. With TCP the caller's `hba_file` has to see to it.
    static func enforced(_ home: ClusterHome, address: String?) -> [(String, String)] {
        let quoted = home.socketDirectory.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"")
        return [
            ("listen_addresses", address ?? ""),
            ("unix_socket_directories", "\"\(quoted)\""),
            ("unix_socket_permissions", "0700"),
            ("port", "\(ClusterHome.port)"),
            ("logging_collector", "off"),
            ("log_destination", "stderr"),
        ]
    }

    /// What nobody needs who throws the data away: durability, replication, parallel workers' shared memory
    /// outside the data directory (it would outlive a killed server).
    static let throwAway: [(String, String)] = [
        ("fsync", "off"),
        ("synchronous_commit", "off"),
        ("full_page_writes", "off"),
        ("wal_level", "minimal"),
        ("max_wal_size", "1GB"),
        ("max_wal_senders", "0"),
        ("autovacuum", "off"),
        ("jit", "off"),
        ("shared_buffers", "16MB"),
        ("max_connections", "200"),
        ("dynamic_shared_memory_type", "mmap"),
    ]
}
