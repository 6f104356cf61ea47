import CLinux
import DequeModule
import Synchronization

// The child of a fork(2), which C code makes, has one thread and a copy of everything a reactor was about to do. None of
// that is the child's business, and the kernel's side of it, the epoll instance and the eventfd, is the parent's own. So
// in two steps the reactor becomes an empty one:
//
// 1. Before fork returns in the child, by system calls alone, since most children are about to exec: fresh descriptors
//    under the old numbers, and the thread is no longer a reactor's (clinux_poller_watch).
// 2. When the child first uses the reactor: what the parent had queued, parked and set is dropped. It is not freed: what
//    its deinitialisers did would be done in the parent a second time, and locks that another of its threads held at
//    that moment stay locked here for ever.
//
// A child that returns from where its parent's loop had called it finds that loop ended, as if it had been stopped.

extension Reactor {
    /// Makes this reactor an empty one, when the process has been forked since it was last used. Any thread.
    @inline(__always) func adoptIfForked() {
        if forkCount.load(ordering: .relaxed) != clinux_fork_count() { adopt() }
    }

    /// Drops all that is to be done without freeing it. The process has one thread, or this is that thread still.
    func adopt() {
        forkCount.store(clinux_fork_count(), ordering: .relaxed)
        phase.store(.idle, ordering: .releasing)
        leak(ready)
        ready = []
        leak(due)
        due = []
        resumedJob = .none
        inbox.abandon()
        poller.adopt()
        timers.pointee.abandon()
        leak(systemEvents)
        systemEvents = SystemEvents()
        // Its thread is the parent's, and may have held its lock.
        leak(currentMonitor)
        currentMonitor = ReactorMonitor()
        observation = Observation()
        leak(threads)
        threads = ReactorThreads()
        // The thread is taken for the reactor's own as long: nobody else can be using what is isolated to it.
        let threadsReactor = clinux_get_thread_reactor()
        clinux_set_thread_reactor(Unmanaged.passUnretained(self).toOpaque())
        ReactorActor.assumeIsolated { abandonIsolatedState() }
        clinux_set_thread_reactor(threadsReactor)
    }

    @ReactorActor private func abandonIsolatedState() {
        runNumber += 1  // what still goes on in an earlier run knows by it that it is over
        hasStarted = false
        leak(startCalls)
        startCalls = []
        leak(firingAgain)
        firingAgain = [:]
        leak(descriptors)
        descriptors = DescriptorTable()
        signalSource?.abandon()
        leak(signalSource)
        signalSource = nil
        leak(cooperatorStorage)
        cooperatorStorage = nil
        // Its look-ups were the parent's threads' and tasks'. One that a program installed is the program's.
        if installedResolver is SystemResolver || installedResolver is NativeResolver {
            leak(installedResolver)
            installedResolver = nil
        }
        leak(greenletRegistry)
        greenletRegistry = nil
        leak(dumpHandler)
        dumpHandler = nil
        leak(eventSubscribers)
        eventSubscribers = []
        leak(switchWatches)
        switchWatches = []
        accounts = [:]
        accountOwners = [:]
        attachedTasks = []
        mainTask = nil
        deadlockSearch = DeadlockSearch()
        externalWakerCount.store(0, ordering: .relaxed)
        leak(idleWaiters)
        idleWaiters = nil
        leak(onLeave)
        onLeave = nil
        leak(files)
        files = FileState()
        clinux_list_init(parkedTasks)
        clinux_list_init(parkedTasks + 1)
    }
}

/// Keeps a value for the rest of the process.
private func leak<Value>(_ value: Value) {
    UnsafeMutablePointer<Value>.allocate(capacity: 1).initialize(to: value)
}
