// Fibers that wait for a mutex, a read-write lock or a condition, and who owns what belongs to a fiber: two tables by
// address, shared by all threads.
//
//     fiber:  enqueue(address) -> try once more -> park          other: really unlock -> anybody waiting? -> wake(address)
//
// The second try comes after the entry in the table, the look at the table after the unlock: one of the two sees the other.
// While no fiber waits anywhere, or is parked with a lock, the look is one load of a counter.
#pragma once

#include "dispatch.h"

/// A place in the line for one address; lies on the waiting fiber's stack.
typedef struct cbs_waiter {
    struct cbs_waiter *next;      ///< later in the bucket's line
    struct cbs_waiter *previous;  ///< earlier
    const void *object;           ///< what is waited for
    const cbs_hook_table *hooks;  ///< of the waiting fiber
    void *wait;                   ///< one of its two ownerships goes to whoever takes the waiter out of the line
    uint64_t number;              ///< grows with each entry into any line
    int is_queued;                ///< still in the line
} cbs_waiter;

/// Whether a fiber waits for anything, or is parked with a lock in its hands; asked after the release that may concern it.
static inline int cbs_has_waiters(void) {
#if !defined(__x86_64__)
    // glibc's release orders what comes before it; the load must not overtake it either. On x86-64 its locked
    // instruction does both.
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
    return __atomic_load_n(&cf_lock_interest, __ATOMIC_RELAXED) != 0;
}

#define CBS_AT_FRONT 1
#define CBS_AT_BACK 0

/// Enters the line for `object`, a lock of that type. Returns 0 or −ENOMEM.
__attribute__((visibility("hidden"))) int cbs_waiter_enter(
    cbs_waiter *waiter, const cbs_hook_table *hooks, enum cbs_lock_type type, const void *object, int position);

/// Parks until woken, once. Returns 1 when woken, 0 at the deadline, or −errno; the waiter has left the line then.
__attribute__((visibility("hidden"))) int cbs_waiter_park(cbs_waiter *waiter, int64_t deadline, int is_killable);

/// Leaves the line without parking.
__attribute__((visibility("hidden"))) void cbs_waiter_leave(cbs_waiter *waiter);

/// Wakes the first `count` fibers that wait for `object` now. Keeps errno.
__attribute__((visibility("hidden"))) void cbs_wake(const void *object, int count);

/// What code off fibers does for fibers once it has given `lock` back, and `cbs_has_waiters` says so.
__attribute__((visibility("hidden"))) void cbs_lock_was_released(const void *lock, int count);

/// Parks for `duration`, whatever is done to the fiber. Returns 0 or −errno.
__attribute__((visibility("hidden"))) int cbs_pause(const cbs_hook_table *hooks, int64_t duration);

// MARK: Owners

/// The fiber that owns `object`, or NULL.
__attribute__((visibility("hidden"))) const cf_fiber *cbs_owner(const void *object);

/// Makes `fiber` the owner, once more if it is already. Without memory nothing is recorded.
__attribute__((visibility("hidden"))) void cbs_own(const void *object, const cf_fiber *fiber);

/// Takes back one `cbs_own`.
__attribute__((visibility("hidden"))) void cbs_disown(const void *object);

// MARK: Locks

enum { CBS_HELD_HERE, CBS_HELD_ELSEWHERE, CBS_HELD_BY_UNKNOWN };

/// What differs between the things that are locked.
typedef struct cbs_lock_kind {
    int (*attempt)(void *object);                                     ///< takes it or returns EBUSY, never waits
    int (*block)(void *object, const struct timespec *realtime_limit);  ///< libc's timed form
    enum cbs_lock_type type;
    int is_shared;                                                    ///< locked so, it has no one holder
} cbs_lock_kind;

/// The hooks for a call that locks, or NULL where it is libc's own: off fibers, and in a scheduler's own code on one.
static inline const cbs_hook_table *cbs_lock_hooks(void) {
    return CBS_LIKELY(cf_fiber_current() == NULL) || cf_fiber_current()->is_in_hook
        ? NULL : cbs_stack_hooks_for(CBS_AREA_thread);
}

/// The same for a wait that changes no lock's owner: NULL, too, for code that cannot park.
static inline const cbs_hook_table *cbs_event_hooks(void) {
    return CBS_LIKELY(cf_fiber_current() == NULL) || cf_fiber_current()->is_in_hook ? NULL
                                                                                   : cbs_hooks_for(CBS_AREA_thread);
}

/// CBS_HELD_…: by the calling thread, by another, by either.
static inline int cbs_held_by(enum cbs_lock_type type, const void *object) {
    int holder = cbs_lock_thread(type, object);
    return holder == 0 ? CBS_HELD_BY_UNKNOWN : holder == clinux_thread_id() ? CBS_HELD_HERE : CBS_HELD_ELSEWHERE;
}

/// The running fiber has `lock` now, or has it no more: what is counted, and noted for reports.
static inline void cbs_note_locked(const void *lock, int is_shared) {
    cf_fiber_current()->held_locks++;
    if (!is_shared) {
        cf_fiber_hold(lock);
    }
}

static inline void cbs_note_unlocked(const void *lock) {
    cf_fiber *fiber = cf_fiber_current();
    if (fiber->is_in_hook) {
        return;  // locked there, too, and neither counted nor noted
    }
    cf_fiber_unhold(lock);
    if (fiber->held_locks > 0) {
        fiber->held_locks--;
    }
}

/// Locks `object` on a fiber. Returns 0, ETIMEDOUT, or another error number of the attempt.
__attribute__((visibility("hidden"))) int cbs_lock(
    const cbs_hook_table *hooks, const cbs_lock_kind *kind, void *object, int64_t deadline);

/// The deadline for a `limit` of `clock`. Returns 0 or EINVAL.
__attribute__((visibility("hidden"))) int cbs_deadline_at(clockid_t clock, const struct timespec *limit, int64_t *deadline);

/// A mutex that the calling fiber waits for or gives back, as the shims do.
__attribute__((visibility("hidden"))) int cbs_mutex_lock(
    const cbs_hook_table *hooks, pthread_mutex_t *mutex, int64_t deadline);
__attribute__((visibility("hidden"))) int cbs_mutex_unlock(pthread_mutex_t *mutex);
__attribute__((visibility("hidden"))) int cbs_condition_wait(
    const cbs_hook_table *hooks, pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline);
