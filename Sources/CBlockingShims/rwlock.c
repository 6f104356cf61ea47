// pthread_rwlock_rdlock, _wrlock, their timed and trying forms, _unlock. As mutex.c; the owner is not known by fiber, so a
// fiber that locks what it holds for writing waits for itself where libc answers EDEADLK.
#include "waiters.h"

#ifndef CBS_THREAD_SANITIZER

static int attempt_read(void *lock) { return CBS_REAL(pthread_rwlock_tryrdlock)(lock); }
static int attempt_write(void *lock) { return CBS_REAL(pthread_rwlock_trywrlock)(lock); }

static int block_read(void *lock, const struct timespec *limit) {
    return CBS_REAL(pthread_rwlock_timedrdlock)(lock, limit);
}

static int block_write(void *lock, const struct timespec *limit) {
    return CBS_REAL(pthread_rwlock_timedwrlock)(lock, limit);
}

// Of readers nobody knows who they are.
static const cbs_lock_kind readers = {.attempt = attempt_read, .block = block_read, .type = CBS_READ_WRITE_LOCK, .is_shared = 1};
static const cbs_lock_kind writers = {.attempt = attempt_write, .block = block_write, .type = CBS_READ_WRITE_LOCK};

/// The limit is looked at only when there is something to wait for.
static CBS_SLOW int lock_until(
    const cbs_hook_table *hooks, const cbs_lock_kind *kind, pthread_rwlock_t *lock, clockid_t clock,
    const struct timespec *limit) {
    int64_t deadline = 0;
    int invalid = cbs_deadline_at(clock, limit, &deadline);
    int result = cbs_lock(hooks, kind, lock, deadline);
    return invalid && result == ETIMEDOUT ? invalid : result;
}

int cbs_shim_pthread_rwlock_rdlock(pthread_rwlock_t *lock) {
    const cbs_hook_table *hooks = cbs_lock_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(pthread_rwlock_rdlock)(lock);
    }
    return cbs_lock(hooks, &readers, lock, CBS_NEVER);
}

int cbs_shim_pthread_rwlock_wrlock(pthread_rwlock_t *lock) {
    const cbs_hook_table *hooks = cbs_lock_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(pthread_rwlock_wrlock)(lock);
    }
    return cbs_lock(hooks, &writers, lock, CBS_NEVER);
}

int cbs_shim_pthread_rwlock_tryrdlock(pthread_rwlock_t *lock) {
    const cbs_hook_table *hooks = cbs_lock_hooks();
    int result = CBS_REAL(pthread_rwlock_tryrdlock)(lock);
    if (__builtin_expect(hooks != NULL, 0) && result == 0) {
        cbs_note_locked(lock, 1);
    }
    return result;
}

int cbs_shim_pthread_rwlock_trywrlock(pthread_rwlock_t *lock) {
    const cbs_hook_table *hooks = cbs_lock_hooks();
    int result = CBS_REAL(pthread_rwlock_trywrlock)(lock);
    if (__builtin_expect(hooks != NULL, 0) && result == 0) {
        cbs_note_locked(lock, 0);
    }
    return result;
}

int cbs_shim_pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *limit) {
    const cbs_hook_table *hooks = cbs_lock_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(pthread_rwlock_timedrdlock)(lock, limit);
    }
    return lock_until(hooks, &readers, lock, CLOCK_REALTIME, limit);
}

int cbs_shim_pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *limit) {
    const cbs_hook_table *hooks = cbs_lock_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(pthread_rwlock_timedwrlock)(lock, limit);
    }
    return lock_until(hooks, &writers, lock, CLOCK_REALTIME, limit);
}

int cbs_shim_pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *limit) {
    const cbs_hook_table *hooks = cbs_lock_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(pthread_rwlock_clockrdlock)(lock, clock, limit);
    }
    return lock_until(hooks, &readers, lock, clock, limit);
}

int cbs_shim_pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *limit) {
    const cbs_hook_table *hooks = cbs_lock_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(pthread_rwlock_clockwrlock)(lock, clock, limit);
    }
    return lock_until(hooks, &writers, lock, clock, limit);
}

int cbs_shim_pthread_rwlock_unlock(pthread_rwlock_t *lock) {
    int result = CBS_REAL(pthread_rwlock_unlock)(lock);
    int is_on_fiber = cf_fiber_current() != NULL;
    if (__builtin_expect(is_on_fiber, 0) && result == 0) {
        cbs_note_unlocked(lock);
    }
    // All: which of them may go on, readers together or one writer, is libc's to decide.
    if (__builtin_expect(cbs_has_waiters(), 0)) {
        if (is_on_fiber) {
            cbs_wake(lock, INT_MAX);
        } else {
            cbs_lock_was_released(lock, INT_MAX);
        }
    }
    return result;
}

#endif
