// vfork and _Fork: the ways to a child process in which no handler of pthread_atfork(3) runs.
//
// A child of vfork(2) shares its parent's memory, the thread-local pointer to the running fiber and the kernel's list of what
// the loop waits for with it. On a reactor's thread its close would tell the parent's reactor, on a fiber its open would park the
// parent's fiber, inside the child. POSIX lets vfork be fork, which it is there.
#define CBS_AREA CBS_AREA_process
#include "forks.h"

/// In the child of a fork: the parent's fibers never run here, and what was kept for them is forgotten.
static void forked(void) {
    cbs_orphan_forked();  // first: what follows may call shims
#ifndef CBS_THREAD_SANITIZER
    cbs_waiters_forked();
    cbs_semaphores_forked();
#endif
    cbs_streams_forked();
    cbs_processes_forked();
}

__attribute__((constructor(101))) static void watch_forks(void) { pthread_atfork(NULL, NULL, forked); }

// A child that shares its parent's frames must not outlive the frame that called vfork, so libc's function is jumped to: what
// is pushed for a call would be the child's to overwrite. The sanitizers' books about memory do not stand two processes.
pid_t cbs_shim_vfork(void) {
#if !defined(CBS_THREAD_SANITIZER) && !defined(CBS_ADDRESS_SANITIZER)
    if (CBS_LIKELY(cf_fiber_current() == NULL && clinux_close_listeners == 0)) {
        __attribute__((musttail)) return CBS_REAL(vfork)();
    }
#endif
    return fork();
}

pid_t cbs_shim__Fork(void) {
    pid_t child = CBS_REAL(_Fork)();
    if (child == 0) {
        forked();
        clinux_forked();
    }
    return child;
}
