import CLinux
import Glibc

extension ThreadPool {
    /// What the worker threads share. It outlives the pool object until the last of them has ended.
    final class Core: @unchecked Sendable {  // every stored variable is used under `monitor`
        private let monitor = ThreadMonitor()
        private let idleNanoseconds: Int64
        private var machine: ThreadPoolStateMachine<@Sendable () -> Void>
        private var endObservers: [@Sendable () -> Void] = []

        init(limit: Int, idleNanoseconds: Int64, isHeld: Bool) {
            self.machine = ThreadPoolStateMachine(limit: limit, isHeld: isHeld)
            self.idleNanoseconds = idleNanoseconds
        }

        var statistics: Statistics {
            monitor.withLock {
                Statistics(
                    limit: machine.limit, threads: machine.threads, idle: machine.idle,
                    working: machine.working, queued: machine.queuedCount, completed: machine.completed,
                    cancelled: machine.cancelled, isStopped: machine.isStopped)
            }
        }

        func submit(_ work: @escaping @Sendable () -> Void) throws(ReactorError) -> Ticket {
            let result: Result<Ticket, ReactorError> = monitor.withLock {
                guard let (number, action) = machine.submit(work) else {
                    return .failure(
                        ReactorError(
                            .threadPoolStopped, "the thread pool has been stopped and takes no more work"))
                }
                let code = perform(action)
                if code != 0, machine.threads == 0 {
                    _ = machine.cancel(number)  // the caller holds the work
                    return .failure(
                        ReactorError(
                            .systemCall, "no worker thread could be started: \(errnoText(code))", errno: code)
                    )
                }
                return .success(Ticket(core: self, number: number))
            }
            return try result.get()
        }

        func cancel(_ number: UInt64) -> Bool {
            // Released after the lock: whatever the work holds may ask for it.
            let work = monitor.withLock { machine.cancel(number) }
            guard work != nil else { return false }
            observeEnd()
            return true
        }

        func start() {
            monitor.withLock { _ = perform(machine.start()) }
            observeEnd()
        }

        func stop() {
            monitor.withLock { _ = perform(machine.stop()) }
            observeEnd()
        }

        func adjust(limit: Int) { monitor.withLock { _ = perform(machine.adjust(limit: limit)) } }

        /// Calls `body` when the last worker of the stopped pool has no more to do: at once when that is so.
        func whenEnded(_ body: @escaping @Sendable () -> Void) {
            monitor.withLock { endObservers.append(body) }
            observeEnd()
        }

        /// Tells the observers if the pool has ended. Outside the lock: they are strangers' code.
        private func observeEnd() {
            let observers = monitor.withLock { () -> [@Sendable () -> Void] in
                guard machine.hasEnded else { return [] }
                defer { endObservers = [] }
                return endObservers
            }
            for observer in observers { observer() }
        }

        /// Under the lock. Returns the errno of a thread that could not be started, else 0.
        private func perform(_ action: ThreadPoolStateMachine<@Sendable () -> Void>.Action) -> Int32 {
            var code: Int32 = 0
            for _ in 0..<action.starts {
                let result = startThread()
                if result == 0 { continue }
                code = result
                machine.startFailed()
            }
            for _ in 0..<action.wakes { monitor.signal() }
            return code
        }

        private func startThread() -> Int32 {
            var attributes = pthread_attr_t()
            pthread_attr_init(&attributes)
            defer { pthread_attr_destroy(&attributes) }
            pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
            var thread = pthread_t()
            // The thread owns one reference to the core and gives it up when it ends.
            let core = Unmanaged.passRetained(self)
            let code = pthread_create(
                &thread, &attributes,
                { argument in
                    clinux_block_all_signals()
                    Unmanaged<Core>.fromOpaque(argument!).takeRetainedValue().work()  // passRetained above
                    return nil
                }, core.toOpaque())
            if code != 0 { core.release() }
            return code
        }

        /// A worker's life: take, run, repeat; end when stopped and drained, too many, or idle for too long.
        private func work() {
            var hasWorked = false
            while let work = next(afterWork: hasWorked) {
                work()
                hasWorked = true
            }
        }

        private func next(afterWork: Bool) -> (@Sendable () -> Void)? {
            var isLast = false
            let work: (@Sendable () -> Void)? = monitor.withLock {
                if afterWork { machine.workEnded() }
                let (sum, isForever) = clinux_monotonic_ns().addingReportingOverflow(idleNanoseconds)
                let deadline = isForever ? Int64.max : sum
                var timedOut = false
                while true {
                    switch machine.next(timedOut: timedOut) {
                    case .run(let work): return work
                    case .end(let last, let action):
                        isLast = last
                        _ = perform(action)
                        return nil
                    case .wait:
                        machine.waitBegan()
                        timedOut = monitor.wait(until: deadline)
                        machine.waitEnded()
                    }
                }
            }
            if isLast { observeEnd() }
            return work
        }
    }

    /// A piece of work in a pool's queue, to take it back. Any thread.
    package struct Ticket: Sendable {
        fileprivate let core: Core
        fileprivate let number: UInt64

        /// Drops the work if no worker has taken it. Returns whether it will never run.
        @discardableResult
        package func cancel() -> Bool { core.cancel(number) }
    }
}
