// pthread_mutex_lock, _timedlock, _clocklock, _trylock, _unlock.
//
// A mutex that another fiber of the thread holds would block the thread that has to give it back. So a fiber tries, and
// parks until it is given back. To libc the owner is still the thread: what it knows of owners (recursion, deadlock,
// "not yours") is kept by fiber here, for the kinds that promise it.
//
// A lock cannot fail: callers do not look. So neither kill nor time-out of the fiber ends the wait, nor does a deadlock: it
// is reported. For that the holders of all kinds are noted, on fibers alone (cf_fiber_hold). A note must not outlive its lock.
// Code off fibers runs while the holder is parked, which cbs_has_waiters then says, and takes the note back.
#include "waiters.h"

#ifndef CBS_THREAD_SANITIZER

/// Whether the mutex knows its owner: PTHREAD_MUTEX_RECURSIVE and _ERRORCHECK. The type is in the two lowest bits of a
/// word whose place is part of the ABI (static initialisers fill it); robustness and protocols are in the others.
static int has_owner(const pthread_mutex_t *mutex) {
    int type = mutex->__data.__kind & 3;
    return type == PTHREAD_MUTEX_RECURSIVE || type == PTHREAD_MUTEX_ERRORCHECK;
}

/// Whether another fiber of this thread holds the mutex. An entry alone does not say so: it stays behind when the mutex
/// is given back off fibers.
static int is_anothers(const pthread_mutex_t *mutex) {
    const cf_fiber *owner = cbs_owner(mutex);
    return owner != NULL && owner != cf_fiber_current() && cbs_held_by(CBS_MUTEX, mutex) == CBS_HELD_HERE;
}

static int attempt_owned(pthread_mutex_t *mutex) {
    const cf_fiber *fiber = cf_fiber_current();
    if (is_anothers(mutex)) {
        return EBUSY;  // libc would let any fiber of the thread in
    }
    int result = CBS_REAL(pthread_mutex_trylock)(mutex);
    if (result == 0 || result == EOWNERDEAD) {
        cbs_own(mutex, fiber);
    }
    return result;
}

static int attempt(void *object) {
    pthread_mutex_t *mutex = object;
    return has_owner(mutex) ? attempt_owned(mutex) : CBS_REAL(pthread_mutex_trylock)(mutex);
}

static int block(void *object, const struct timespec *limit) {
    pthread_mutex_t *mutex = object;
    int result = CBS_REAL(pthread_mutex_timedlock)(mutex, limit);
    if ((result == 0 || result == EOWNERDEAD) && has_owner(mutex)) {
        cbs_own(mutex, cf_fiber_current());
    }
    return result;
}

static const cbs_lock_kind mutexes = {.attempt = attempt, .block = block, .type = CBS_MUTEX};

int cbs_mutex_lock(const cbs_hook_table *hooks, pthread_mutex_t *mutex, int64_t deadline) {
    // Locked twice by one fiber: an error that libc tells from a wait, and its trylock does not.
    if ((mutex->__data.__kind & 3) == PTHREAD_MUTEX_ERRORCHECK && cbs_owner(mutex) == cf_fiber_current()
        && cbs_held_by(CBS_MUTEX, mutex) == CBS_HELD_HERE) {
        return EDEADLK;
    }
    return cbs_lock(hooks, &mutexes, mutex, deadline);
}

int cbs_mutex_unlock(pthread_mutex_t *mutex) {
    cf_fiber *fiber = cf_fiber_current();
    if (has_owner(mutex)) {
        if (is_anothers(mutex)) {
            return EPERM;
        }
        if (cbs_owner(mutex) == fiber) {
            cbs_disown(mutex);  // first: who gets the mutex next makes the next entry
        }
    }
    int result = CBS_REAL(pthread_mutex_unlock)(mutex);
    if (result == 0) {
        cbs_note_unlocked(mutex);
    }
    if (cbs_has_waiters()) {
        cbs_wake(mutex, 1);
    }
    return result;
}

int cbs_shim_pthread_mutex_lock(pthread_mutex_t *mutex) {
    const cbs_hook_table *hooks = cbs_lock_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(pthread_mutex_lock)(mutex);
    }
    return cbs_mutex_lock(hooks, mutex, CBS_NEVER);
}

int cbs_shim_pthread_mutex_trylock(pthread_mutex_t *mutex) {
    const cbs_hook_table *hooks = cbs_lock_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(pthread_mutex_trylock)(mutex);
    }
    int result = attempt(mutex);
    if (result == 0 || result == EOWNERDEAD) {
        cbs_note_locked(mutex, 0);
    }
    return result;
}

/// With a limit: looked at, as libc does, only when there is something to wait for.
static CBS_SLOW int lock_until(
    const cbs_hook_table *hooks, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *limit) {
    int64_t deadline = 0;
    int invalid = cbs_deadline_at(clock, limit, &deadline);
    if (invalid) {
        int result = cbs_mutex_lock(hooks, mutex, 0);
        return result == ETIMEDOUT ? invalid : result;
    }
    return cbs_mutex_lock(hooks, mutex, deadline);
}

int cbs_shim_pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *limit) {
    const cbs_hook_table *hooks = cbs_lock_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(pthread_mutex_timedlock)(mutex, limit);
    }
    return lock_until(hooks, mutex, CLOCK_REALTIME, limit);
}

int cbs_shim_pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *limit) {
    const cbs_hook_table *hooks = cbs_lock_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(pthread_mutex_clocklock)(mutex, clock, limit);
    }
    return lock_until(hooks, mutex, clock, limit);
}

int cbs_shim_pthread_mutex_unlock(pthread_mutex_t *mutex) {
    // Whether hooks are there does not matter: what was locked on a fiber must be given back as such.
    if (CBS_LIKELY(cf_fiber_current() == NULL)) {
        int result = CBS_REAL(pthread_mutex_unlock)(mutex);
        if (__builtin_expect(cbs_has_waiters(), 0)) {
            cbs_lock_was_released(mutex, 1);
        }
        return result;
    }
    return cbs_mutex_unlock(mutex);
}

#endif
