// flock, lockf, fcntl(F_SETLKW) and fcntl(F_OFD_SETLKW): asked for without waiting, again after each of a few growing
// naps, 32 ms at most.
//
// A worker thread that waits in the kernel is the worse way. Killed, its fiber is gone while the worker may get the lock
// at any later time; to give it back then could drop a lock that the program took meanwhile, since these locks belong to
// the process or the open file, never to a thread. And those who wait are many where locks are contended, so they would
// take all threads. What the naps cost: up to 32 ms of delay after a lock is free, no order among waiters, and no EDEADLK,
// which the kernel finds among sleepers only: greenlets in such a cycle can be killed, as those that wait for long.
#define CBS_AREA CBS_AREA_lock
#include "dispatch.h"

#include <stdarg.h>
#include <sys/file.h>

#define CBS_LONGEST_NAP (32 * CBS_MILLISECOND)

/// Repeats `attempt`, an expression without waiting, while it fails with EAGAIN or EACCES, which say "locked".
#define CBS_UNTIL_LOCKED(hooks, fd, attempt)                                        \
    ({                                                                              \
        int saved_ = errno;                                                         \
        int64_t nap_ = CBS_MILLISECOND;                                             \
        int result_;                                                                \
        while ((result_ = (attempt)) != 0 && (errno == EAGAIN || errno == EACCES)) { \
            int slept_ = cbs_sleep_for((hooks), (fd), cbs_deadline(nap_));          \
            if (slept_ < 0) {                                                       \
                errno = -slept_;                                                    \
                break;                                                              \
            }                                                                       \
            nap_ = nap_ < CBS_LONGEST_NAP ? nap_ * 2 : nap_;                        \
        }                                                                           \
        if (result_ == 0) {                                                         \
            errno = saved_;                                                         \
        }                                                                           \
        result_;                                                                    \
    })

// MARK: Whole files

static CBS_SLOW int cbs_flock(const cbs_hook_table *hooks, int fd, int operation) {
    return CBS_UNTIL_LOCKED(hooks, fd, CBS_REAL(flock)(fd, operation | LOCK_NB));
}

int cbs_shim_flock(int fd, int operation) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || (operation & (LOCK_NB | LOCK_UN)) != 0) {
        return CBS_REAL(flock)(fd, operation);
    }
    return cbs_flock(hooks, fd, operation);
}

// MARK: Ranges

static CBS_SLOW int cbs_lockf(const cbs_hook_table *hooks, int fd, off_t length) {
    return CBS_UNTIL_LOCKED(hooks, fd, CBS_REAL(lockf)(fd, F_TLOCK, length));
}

int cbs_shim_lockf(int fd, int command, off_t length) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) || command != F_LOCK ? CBS_REAL(lockf)(fd, command, length)
                                                          : cbs_lockf(hooks, fd, length);
}

int cbs_shim_lockf64(int fd, int command, off_t length) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) || command != F_LOCK ? CBS_REAL(lockf64)(fd, command, length)
                                                          : cbs_lockf(hooks, fd, length);
}

static CBS_SLOW int cbs_lock_range(const cbs_hook_table *hooks, int fd, int command, void *range) {
    int attempt = command == F_SETLKW ? F_SETLK : F_OFD_SETLK;
    return CBS_UNTIL_LOCKED(hooks, fd, CBS_REAL(fcntl)(fd, attempt, range));
}

// fcntl is called often and for many things: which one is looked at before anything else. What follows the command is a
// pointer or an int; libc itself reads it as a pointer, also where there is none.

#define CBS_WAITS(command) ((command) == F_SETLKW || (command) == F_OFD_SETLKW)

#define CBS_ARGUMENT(last)             \
    ({                                 \
        va_list list_;                 \
        va_start(list_, last);         \
        void *argument_ = va_arg(list_, void *); \
        va_end(list_);                 \
        argument_;                     \
    })

int cbs_shim_fcntl(int fd, int command, ...) {
    void *argument = CBS_ARGUMENT(command);
    const cbs_hook_table *hooks = CBS_LIKELY(!CBS_WAITS(command)) ? NULL : cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(fcntl)(fd, command, argument)
                                     : cbs_lock_range(hooks, fd, command, argument);
}

int cbs_shim_fcntl64(int fd, int command, ...) {
    void *argument = CBS_ARGUMENT(command);
    const cbs_hook_table *hooks = CBS_LIKELY(!CBS_WAITS(command)) ? NULL : cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(fcntl64)(fd, command, argument)
                                     : cbs_lock_range(hooks, fd, command, argument);
}
