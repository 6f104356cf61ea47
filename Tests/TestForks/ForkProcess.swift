public import Glibc

/// fork(2), which Swift does not offer. A child that another thread's lock in Swift's run-time library was copied into would wait
/// for it for ever: it is ended after a while, and its test fails.
public func forkProcess() -> pid_t {
    typealias Function = @convention(c) () -> pid_t
    let child = unsafeBitCast(dlsym(nil, "fork"), to: Function.self)()
    if child == 0 {
        // The threads of Swift's pool, one of which has forked, block signals.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGALRM)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        alarm(30)
    }
    return child
}

/// Waits for a child; what it exited with, minus the signal that has ended it, or −1 when there is no such child.
public func exitStatus(of child: pid_t) -> Int32 {
    var status: Int32 = 0
    guard child > 0, waitpid(child, &status, 0) == child else { return -1 }
    let signal = status & 0x7f
    return signal == 0 ? status >> 8 : -signal
}
