// What each part does in the child of a fork, where it is all that runs: on the only thread, perhaps in a signal handler.
#pragma once

#include "dispatch.h"

/// Remembers the running fiber as one whose calls pass through (dispatch.c).
__attribute__((visibility("hidden"))) void cbs_orphan_forked(void);

/// Forgets the fibers that wait for mutexes, conditions and read-write locks, and the owners of those (waiters.c).
__attribute__((visibility("hidden"))) void cbs_waiters_forked(void);

/// Forgets the fibers that wait for semaphores (semaphore.c).
__attribute__((visibility("hidden"))) void cbs_semaphores_forked(void);

/// Forgets the fibers that own streams (streams.c).
__attribute__((visibility("hidden"))) void cbs_streams_forked(void);

/// Forgets the commands that the parent waits for (shell.c).
__attribute__((visibility("hidden"))) void cbs_processes_forked(void);
