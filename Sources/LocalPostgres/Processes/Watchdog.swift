import Glibc

/// A process that stops the server, and removes a throw-away home, when its owner is gone for whatever
/// reason.
///
/// Stopping on purpose takes the same way: the owner names the mode and waits for the watchdog's end. So the
/// way that matters when we were killed is the way every stop goes.
struct Watchdog: Sendable {
    let processID: pid_t
    private let lifeline: Descriptor

    /// Starts the watchdog of this process for `home`. `users` is our share of `users.lock`, which it holds
    /// with us.
    init(_ home: ClusterHome, users: FileLock) throws(LocalPostgresError) {
        let (reading, writing) = try Descriptor.pipe()
        let errors = dup(STDERR_FILENO)
        // The write end is close-on-exec and not in this list: no child holds it, the watchdog least of all.
        processID = try ClusterScript.command("watch", home).start([
            reading, nil, errors < 0 ? nil : Descriptor(owning: errors), users.descriptor,
            try ClusterScript.file(),
        ])
        lifeline = writing
    }

    /// Has the watchdog stop the server if nobody else uses it, and waits for that.
    func finish(_ mode: LocalCluster.StopMode) {
        // A watchdog that was killed has no reader left, and write(2) would raise SIGPIPE.
        guard Command.poll(processID) == nil else { return }
        lifeline.write("\(mode.rawValue)\n")
        Command.wait(for: processID)
    }
}
