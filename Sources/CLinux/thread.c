#include "CLinux.h"

__thread void *clinux_thread_reactor = NULL;
__thread unsigned clinux_close_listeners = 0;
__thread void *clinux_thread_graveyard = NULL;
__thread int clinux_corked_descriptor = CLINUX_NOTHING_CORKED;
size_t clinux_task_locals_offset = 0;
const void *clinux_ignored_task_local = NULL;

void clinux_block_all_signals(void) {
    sigset_t all;
    sigfillset(&all);
    // Faults raised by the thread itself must keep killing the process with a core, not vanish.
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGTRAP);
    sigdelset(&all, SIGABRT);
    // Profilers sample every thread by it, and after a crash Swift's backtracer stops every thread by it: a thread
    // that takes none of SIGPROF, SIGUSR1 and SIGUSR2 makes it wait, for seconds each.
    sigdelset(&all, SIGPROF);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
}
