// Waits for what one descriptor and a direction cannot say: several descriptors, POLLPRI, errors alone, or a descriptor
// that somebody else waits for.
#pragma once

#include "dispatch.h"

/// One descriptor of a set, in the line of those of this thread that may have its number.
typedef struct cbs_member {
    struct cbs_member *next;   ///< in the line
    struct cbs_member **link;  ///< what points here; NULL in no line
    struct cbs_wait_set *set;  ///< whose member it is
    struct pollfd *entry;      ///< the descriptor, as the set's caller has it
} cbs_member;

#define CBS_FEW 4

/// A private epoll instance, nested in the reactor's own by `cbs_wait_fd`. Lies on the waiting fiber's stack.
typedef struct cbs_wait_set {
    const cbs_hook_table *hooks;  ///< of the fiber
    int epoll_fd;                 ///< −1 until the first wait
    int naps;                     ///< how often a nap stood in for an epoll instance that could not be had
    int closed;                   ///< members that were closed as they were waited for; their entries say POLLNVAL
    nfds_t count;                 ///< of `members`
    cbs_member *members;          ///< NULL until the first wait
    cbs_member few[CBS_FEW];      ///< the memory of few members
} cbs_wait_set;

#define CBS_WAIT_SET {.epoll_fd = -1}

/// Parks until one of `fds` may be ready. Returns 1 (ask again), 0 at the deadline, or −errno; −EBADF when members were
/// closed meanwhile: `closed` says how many, and the number of each may mean another file by now. The array is the set's
/// until its end, and the entries' `revents` are 0.
__attribute__((visibility("hidden"))) int cbs_wait_set_wait(
    const cbs_hook_table *hooks, cbs_wait_set *set, struct pollfd *fds, nfds_t count, int64_t deadline);

/// Leaves nothing of a set behind.
__attribute__((visibility("hidden"))) void cbs_wait_set_end(cbs_wait_set *set);

/// As `cbs_sleep_until`, for one who is going to ask for `fds` again: −EBADF when one was closed meanwhile. Sets the
/// `revents` of those to POLLNVAL.
__attribute__((visibility("hidden"))) int cbs_sleep_beside(
    const cbs_hook_table *hooks, struct pollfd *fds, nfds_t count, int64_t deadline);
