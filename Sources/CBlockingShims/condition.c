// pthread_cond_wait, _timedwait, _clockwait, _signal, _broadcast.
//
// A fiber enters the line of the condition while it still holds the mutex: whoever changes what is waited for under the
// mutex, and signals then, finds it there. A signal wakes one fiber and, as libc's own, one thread: more than asked for is
// allowed (a wait may end for no reason at all), less is not.
//
// A killed fiber's wait returns ECANCELED (ETIMEDOUT) with the mutex held, like any return. Most callers do not look, and wait
// again: so each such return is preceded by a pause, in which others run, and the fiber goes on when its condition has come
// true.
#include "waiters.h"

#ifndef CBS_THREAD_SANITIZER

#define CBS_KILLED_PAUSE (10 * CBS_MILLISECOND)

/// A condition shared between processes is signalled by some that cannot wake a fiber here: look this often.
#define CBS_SHARED_INTERVAL (20 * CBS_MILLISECOND)

// glibc keeps both in the lowest bits of one word, since 2.25; ConditionTests makes conditions of all kinds.
#define CBS_IS_SHARED(condition) ((condition)->__data.__wrefs & 1)
#define CBS_CLOCK(condition) ((condition)->__data.__wrefs & 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME)

int cbs_condition_wait(
    const cbs_hook_table *hooks, pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline) {
    cbs_waiter waiter;
    if (cbs_waiter_enter(&waiter, hooks, CBS_NO_LOCK, condition, CBS_AT_BACK) != 0) {
        return CBS_REAL(pthread_cond_wait)(condition, mutex);
    }
    int result = cbs_mutex_unlock(mutex);
    if (result != 0) {
        cbs_waiter_leave(&waiter);
        return result;
    }
    int64_t end = CBS_IS_SHARED(condition) ? cbs_deadline(CBS_SHARED_INTERVAL) : CBS_NEVER;
    end = end < deadline ? end : deadline;
    int parked = cbs_waiter_park(&waiter, end, 1);
    if (parked < 0) {
        cbs_pause(hooks, CBS_KILLED_PAUSE);
    }
    result = cbs_mutex_lock(hooks, mutex, CBS_NEVER);
    if (result != 0) {
        return result;
    }
    return parked < 0 ? -parked : parked == 0 && end == deadline ? ETIMEDOUT : 0;
}

int cbs_shim_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex) {
    const cbs_hook_table *hooks = cbs_event_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(pthread_cond_wait)(condition, mutex);
    }
    return cbs_condition_wait(hooks, condition, mutex, CBS_NEVER);
}

static CBS_SLOW int wait_until(
    const cbs_hook_table *hooks, pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
    const struct timespec *limit) {
    int64_t deadline = 0;
    int invalid = cbs_deadline_at(clock, limit, &deadline);
    return invalid ? invalid : cbs_condition_wait(hooks, condition, mutex, deadline);
}

int cbs_shim_pthread_cond_timedwait(
    pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *limit) {
    const cbs_hook_table *hooks = cbs_event_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(pthread_cond_timedwait)(condition, mutex, limit);
    }
    return wait_until(hooks, condition, mutex, CBS_CLOCK(condition), limit);
}

int cbs_shim_pthread_cond_clockwait(
    pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *limit) {
    const cbs_hook_table *hooks = cbs_event_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(pthread_cond_clockwait)(condition, mutex, clock, limit);
    }
    return wait_until(hooks, condition, mutex, clock, limit);
}

// libc's own first: a thread that it wakes may free the condition, and of that only the address is needed then.

int cbs_shim_pthread_cond_signal(pthread_cond_t *condition) {
    int result = CBS_REAL(pthread_cond_signal)(condition);
    if (__builtin_expect(cbs_has_waiters(), 0)) {
        cbs_wake(condition, 1);
    }
    return result;
}

int cbs_shim_pthread_cond_broadcast(pthread_cond_t *condition) {
    int result = CBS_REAL(pthread_cond_broadcast)(condition);
    if (__builtin_expect(cbs_has_waiters(), 0)) {
        cbs_wake(condition, INT_MAX);
    }
    return result;
}

#endif
