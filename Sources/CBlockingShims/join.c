// pthread_join, its timed forms, thrd_join. Nothing announces the end of a thread to a scheduler, so a fiber looks, at
// growing intervals. A kill does not end that: the caller goes on to free what the thread uses, whatever is returned.
#include "waiters.h"

#if !defined(CBS_THREAD_SANITIZER) && !defined(CBS_ADDRESS_SANITIZER)

#define CBS_SHORTEST_NAP (CBS_MILLISECOND / 10)
#define CBS_LONGEST_NAP (10 * CBS_MILLISECOND)

/// Returns 0, ETIMEDOUT, or pthread_join's error number.
static CBS_SLOW int join_until(const cbs_hook_table *hooks, pthread_t thread, void **result, int64_t deadline) {
    if (pthread_equal(thread, pthread_self())) {
        return EDEADLK;
    }
    for (int64_t nap = CBS_SHORTEST_NAP;; nap = nap < CBS_LONGEST_NAP ? nap * 2 : nap) {
        int code = pthread_tryjoin_np(thread, result);
        if (code != EBUSY) {
            return code;
        }
        int64_t left = deadline == CBS_NEVER ? CBS_NEVER : deadline - cbs_now();
        if (left <= 0) {
            return ETIMEDOUT;
        }
        if (cbs_pause(hooks, left < nap ? left : nap) < 0) {
            return CBS_REAL(pthread_join)(thread, result);
        }
    }
}

int cbs_shim_pthread_join(pthread_t thread, void **result) {
    const cbs_hook_table *hooks = cbs_event_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(pthread_join)(thread, result);
    }
    return join_until(hooks, thread, result, CBS_NEVER);
}

int cbs_shim_pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *limit) {
    const cbs_hook_table *hooks = cbs_event_hooks();
    int64_t deadline = 0;
    if (CBS_LIKELY(hooks == NULL) || limit == NULL || cbs_deadline_at(CLOCK_REALTIME, limit, &deadline) != 0) {
        return CBS_REAL(pthread_timedjoin_np)(thread, result, limit);
    }
    return join_until(hooks, thread, result, deadline);
}

int cbs_shim_pthread_clockjoin_np(
    pthread_t thread, void **result, clockid_t clock, const struct timespec *limit) {
    const cbs_hook_table *hooks = cbs_event_hooks();
    int64_t deadline = 0;
    if (CBS_LIKELY(hooks == NULL) || limit == NULL || cbs_deadline_at(clock, limit, &deadline) != 0) {
        return CBS_REAL(pthread_clockjoin_np)(thread, result, clock, limit);
    }
    return join_until(hooks, thread, result, deadline);
}

int cbs_shim_thrd_join(thrd_t thread, int *result) {
    const cbs_hook_table *hooks = cbs_event_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(thrd_join)(thread, result);
    }
    void *value = NULL;
    int code = join_until(hooks, thread, &value, CBS_NEVER);
    if (code == 0 && result != NULL) {
        *result = (int)(intptr_t)value;  // how glibc passes a C11 thread's result
    }
    return code == 0 ? thrd_success : thrd_error;
}

#endif
