// epoll_wait and its variants: a library's own event loop, on a fiber. Its epoll descriptor is readable when one of
// its descriptors has an event, so it nests in the reactor's.
#define CBS_AREA CBS_AREA_poll
#include "dispatch.h"

static int cbs_epoll(
    const cbs_hook_table *hooks, int epoll, struct epoll_event *events, int capacity, int64_t deadline,
    const sigset_t *mask) {
    int error = errno;
    int is_over = cbs_now() >= deadline;
    int parked = is_over ? cbs_sleep_until(hooks, 0) : 0;  // a zero time-out yields, then looks once
    int misses = 0;
    for (;;) {
        int result = CBS_REAL(epoll_pwait)(epoll, events, capacity, 0, mask);
        if (result != 0) {
            errno = result < 0 ? errno : error;
            return result;
        }
        if (parked < 0) {
            errno = -parked;
            return -1;
        }
        if (is_over) {
            errno = error;
            return 0;
        }
        int64_t now = cbs_now();
        int64_t end = mask == NULL ? CBS_NEVER : now + 50 * CBS_MILLISECOND;
        end = end < deadline ? end : deadline;
        // Readable, yet nothing to fetch: another thread fetches from the same instance. Let time pass.
        if (misses >= 3) {
            misses = 0;
            end = now + CBS_MILLISECOND < end ? now + CBS_MILLISECOND : end;
            parked = cbs_sleep_for(hooks, epoll, end);
        } else {
            parked = cbs_wait_fd(hooks, epoll, POLLIN, end);
            misses += parked > 0;
        }
        if (parked == -EBADF) {  // closed by another fiber; the number may mean another instance by now: do not ask
            errno = EBADF;
            return -1;
        }
        is_over = parked == 0 && end == deadline;
    }
}

static int64_t cbs_epoll_deadline(int milliseconds) {
    return milliseconds < 0 ? CBS_NEVER : milliseconds == 0 ? 0 : cbs_deadline(milliseconds * CBS_MILLISECOND);
}

static CBS_SLOW int cbs_epoll_for(
    const cbs_hook_table *hooks, int epoll, struct epoll_event *events, int capacity, int milliseconds,
    const sigset_t *mask) {
    return cbs_epoll(hooks, epoll, events, capacity, cbs_epoll_deadline(milliseconds), mask);
}

int cbs_shim_epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(epoll_wait)(epoll, events, capacity, timeout);
    }
    return cbs_epoll_for(hooks, epoll, events, capacity, timeout, NULL);
}

int cbs_shim_epoll_pwait(int epoll, struct epoll_event *events, int capacity, int timeout, const sigset_t *mask) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(epoll_pwait)(epoll, events, capacity, timeout, mask);
    }
    return cbs_epoll_for(hooks, epoll, events, capacity, timeout, mask);
}

int cbs_shim_epoll_pwait2(
    int epoll, struct epoll_event *events, int capacity, const struct timespec *timeout, const sigset_t *mask) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || (timeout != NULL && !cbs_is_valid(timeout))) {
        return CBS_REAL(epoll_pwait2)(epoll, events, capacity, timeout, mask);
    }
    int64_t deadline = CBS_NEVER;
    if (timeout != NULL) {
        int64_t duration = cbs_nanoseconds(timeout->tv_sec, timeout->tv_nsec);
        deadline = duration == 0 ? 0 : cbs_deadline(duration);
    }
    return cbs_epoll(hooks, epoll, events, capacity, deadline, mask);
}
