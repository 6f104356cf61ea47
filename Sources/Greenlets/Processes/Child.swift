import CLinux
import Glibc
import ReactorCore

/// A child of this process and its pidfd: fetches how it ended, as soon as it has.
@ReactorActor
final class Child {
    let processID: Int32
    let reactor: Reactor
    private(set) var status: Subprocess.Status?
    private var pidfd: Int32
    private let hasOwnGroup: Bool
    private let waiters = ParkingLine()
    let links = ReadinessLinks()

    /// Takes over a child that nobody has waited for. A task of the reactor's fetches it.
    ///
    /// - Throws: `GreenletError` with code `systemCall` when there is no descriptor for it; it has been ended and fetched then.
    init(_ processID: Int32, hasOwnGroup: Bool, on reactor: Reactor) throws {
        self.processID = processID
        self.hasOwnGroup = hasOwnGroup
        self.reactor = reactor
        pidfd = clinux_pidfd_open(processID)
        guard pidfd >= 0 else {
            // Nobody else waits for it, so the number is its own still. It is about to end: this blocks for a moment.
            Glibc.kill(processID, SIGKILL)
            while waitpid(processID, nil, 0) < 0, errno == EINTR {}
            throw GreenletError(systemCall: "pidfd_open", -pidfd)
        }
        _ = reactor.startTask { await self.fetch() }
    }

    private func fetch() async {
        while !tryToFetch() {
            // It ends when the child does. A descriptor that nobody else knows is not busy; whatever else there may be, the
            // child must not stay a zombie.
            do { try await reactor.waitUntilReadable(pidfd) } catch {
                try? await reactor.sleep(for: .milliseconds(10))
            }
        }
        reactor.descriptorWillClose(pidfd)
        close(pidfd)
        pidfd = -1
        waiters.openAll()
        links.fire()
    }

    private func tryToFetch() -> Bool {
        var code: Int32 = 0
        var value: Int32 = 0
        switch clinux_pidfd_fetch(pidfd, &code, &value) {
        case 0: return false
        case 1: status = Subprocess.Status(code: code, status: value)
        default: status = .unknown
        }
        return true
    }

    func signal(_ number: Int32) throws -> Bool {
        guard status == nil else { return false }
        // Not fetched, so the number is still its own, and its group's.
        let result =
            hasOwnGroup
            ? (Glibc.kill(-processID, number) == 0 ? 0 : -errno) : clinux_pidfd_signal(pidfd, number)
        if result == -ESRCH { return false }
        guard result == 0 else {
            throw GreenletError(systemCall: "signal \(number) to \(processID)", -result)
        }
        return true
    }

    func wait(timeout: Duration?, late: () -> any Error) async throws -> Subprocess.Status {
        try Task.checkCancellation()
        if status == nil {
            let latch = Latch(on: reactor, for: .unspecified)
            waiters.append(latch)
            // It is out of the line when it has not opened in time.
            guard try await latch.waitUntilOpen(timeout: timeout) else { throw late() }
        }
        return status!  // set before the latches are opened
    }

    func waitUncancellably() async {
        guard status == nil else { return }
        let latch = Latch(on: reactor, for: .unspecified)
        waiters.append(latch)
        try? await latch.waitUntilOpenUncancellably()
    }
}
