import Glibc
import Synchronization

/// The clusters this process has to stop before it ends: an exit leaves nothing behind for the watchdogs to
/// finish after the caller of the process has gone on.
enum LiveClusters {
    private struct State {
        var clusters: [LocalCluster] = []
        /// The process that installed the hook. A fork of it that calls exit(3) runs the hook, too, and must
        /// not stop what is its parent's.
        var processID: pid_t?
    }

    private static let state = Mutex(State())

    static func insert(_ cluster: LocalCluster) {
        state.withLock { state in
            state.clusters.append(cluster)
            if state.processID == nil {
                state.processID = getpid()
                atexit { LiveClusters.stopAll() }
            }
        }
    }

    static func remove(_ cluster: LocalCluster) {
        state.withLock { $0.clusters.removeAll { $0 === cluster } }
    }

    private static func stopAll() {
        let clusters = state.withLock { $0.processID == getpid() ? $0.clusters : [] }
        for cluster in clusters {
            cluster.stop(mode: cluster.control.home.fate == .remove ? .immediate : .fast)
        }
    }
}
