import Glibc
import Testing

@testable import LocalPostgres

/// The suites of this target: one after the other, since each test keeps processors busy that others measure
/// with.
@Suite(.serialized, .ownThread) enum LocalPostgresTests {}

/// A directory for one test, which the server's account can enter unless `mode` says otherwise.
struct Place: Sendable {
    let path: String

    /// For a development cluster; not there yet.
    var cluster: String { "\(path)/cluster" }

    init(path: String) { self.path = path }

    init(mode: mode_t = 0o755) throws {
        var template = Array("\(ClusterHome.temporaryParent)/green-place.XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try #require(chmod(path, mode) == 0)
    }

    /// Fills `cluster` with data as initdb leaves it: initdb has tests of its own, and takes its time.
    func fill(_ directory: String? = nil) throws {
        let home = try ClusterHome.development(in: directory ?? cluster)
        let control = ServerControl(home: home, binaries: try .find(), settings: [])
        try control.initialise(from: .copy(ClusterTemplate.data(control.binaries, home.account)))
    }

    static func filled() throws -> Place {
        let place = try Place()
        try place.fill()
        return place
    }

    /// Starts the cluster, without the care for power failures.
    func start(_ directory: String? = nil) throws -> LocalCluster {
        try LocalCluster.start(in: directory ?? cluster, settings: ["fsync": "off"])
    }

    /// Whether a home in this place has an entry of that name.
    func contains(_ name: String) -> Bool {
        FileSystem.entries(of: path).contains { access("\(path)/\($0)/\(name)", F_OK) == 0 }
    }

    func remove() { _ = try? Command(path: "/bin/rm", arguments: ["-rf", path]).run() }
}

/// What pg_isready says about a server.
enum Probe: Int32 {
    case accepting = 0
    case rejecting = 1
    case noResponse = 2
}

extension LocalCluster {
    func probe() throws -> Probe? {
        let command = control.home.account.command(
            control.binaries.path("pg_isready"), ["-q", "-h", socketDirectory, "-p", "5432"])
        return Probe(rawValue: try command.run().status)
    }

    /// The one value that `statement` returns in the database `url` names.
    func query(_ statement: String, at url: String) throws -> String {
        try psql(statement, at: url).runToSuccess(orThrow: "psql").lastLines(1)
    }

    func psql(_ statement: String, at url: String) -> Command {
        control.home.account.command(
            control.binaries.path("psql"), ["-X", "-A", "-t", "-q", "-d", url, "-c", statement])
    }

    /// The System V segments of the server: line 7 of postmaster.pid holds key and id.
    func sharedMemorySegments() throws -> Set<Int> {
        let lines = FileSystem.lines("\(control.home.dataDirectory)/postmaster.pid")
        let fields = try #require(lines.count > 6 ? lines[6] : nil).split(separator: " ")
        return Set(fields.dropFirst().prefix(1).compactMap { Int($0) })
    }
}

/// The ids of all System V segments of the system.
func sharedMemorySegments() throws -> Set<Int> {
    let lines = FileSystem.lines("/proc/sysvipc/shm").dropFirst()
    return Set(lines.compactMap { $0.split(separator: " ").dropFirst().first.flatMap { Int($0) } })
}

/// Returns when no watchdog of the cluster runs any more. Not by its locks: who waits for one is a user of the cluster to
/// the watchdog, and may get it first.
func waitForWatchdog(of directory: String) {
    while processes.contains(where: { $0.contains("watch") && $0.contains(directory) }) { usleep(10_000) }
}

/// The words of every process's command line.
private var processes: [[String]] {
    guard let folder = opendir("/proc") else { return [] }
    defer { closedir(folder) }
    var all: [[String]] = []
    while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        guard pid_t(name) != nil, let file = fopen("/proc/\(name)/cmdline", "r") else { continue }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        all.append(bytes.prefix(count).split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
    }
    return all
}

/// What a process that is about to end says about its cluster.
struct Report {
    let directory: String
    let serverProcessID: pid_t
    let segment: Int

    init?(_ result: ExitTest.Result?) {
        let output = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
        guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix("cluster|") }) else {
            return nil
        }
        let fields = line.split(separator: "|")
        guard fields.count == 4, let processID = pid_t(fields[1]), let segment = Int(fields[2]) else {
            return nil
        }
        directory = String(fields[3])
        serverProcessID = processID
        self.segment = segment
    }

    var place: Place { Place(path: FileSystem.parent(of: directory)) }
}

func report(_ cluster: LocalCluster) throws {
    let segment = try #require(cluster.sharedMemorySegments().first)
    print("cluster|\(cluster.serverProcessID ?? 0)|\(segment)|\(cluster.directory)")
    fflush(nil)
}
