// sleep, usleep, nanosleep, clock_nanosleep: a timer each. glibc's do not call one another through these symbols.
#define CBS_AREA CBS_AREA_timer
#include "dispatch.h"

/// Time from now until `deadline`, not negative.
static struct timespec cbs_time_until(int64_t deadline) {
    int64_t left = deadline - cbs_now();
    left = left < 0 ? 0 : left;
    return (struct timespec){.tv_sec = left / CBS_SECOND, .tv_nsec = left % CBS_SECOND};
}

unsigned int cbs_shim_sleep(unsigned int seconds) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(sleep)(seconds);
    }
    int64_t deadline = cbs_deadline(cbs_nanoseconds(seconds, 0));
    int result = cbs_sleep_until(hooks, deadline);
    if (result == 0) {
        return 0;
    }
    errno = -result;
    struct timespec left = cbs_time_until(deadline);
    return (unsigned int)left.tv_sec + (left.tv_nsec > 0);
}

int cbs_shim_usleep(useconds_t microseconds) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(usleep)(microseconds);
    }
    int result = cbs_sleep_until(hooks, cbs_deadline((int64_t)microseconds * 1000));
    if (result == 0) {
        return 0;
    }
    errno = -result;
    return -1;
}

int cbs_shim_nanosleep(const struct timespec *duration, struct timespec *remaining) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || duration == NULL || !cbs_is_valid(duration)) {
        return CBS_REAL(nanosleep)(duration, remaining);
    }
    int64_t deadline = cbs_deadline(cbs_nanoseconds(duration->tv_sec, duration->tv_nsec));
    int result = cbs_sleep_until(hooks, deadline);
    if (result == 0) {
        return 0;
    }
    if (remaining != NULL) {
        *remaining = cbs_time_until(deadline);
    }
    errno = -result;
    return -1;
}

int cbs_shim_thrd_sleep(const struct timespec *duration, struct timespec *remaining) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || duration == NULL || !cbs_is_valid(duration)) {
        return CBS_REAL(thrd_sleep)(duration, remaining);
    }
    int error = errno;
    int result = cbs_shim_nanosleep(duration, remaining);
    errno = error;
    return result;  // −1 means "interrupted", here as there
}

int cbs_shim_clock_nanosleep(
    clockid_t clock, int flags, const struct timespec *request, struct timespec *remaining) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    struct timespec now;
    int is_wall = clock == CLOCK_REALTIME || clock == CLOCK_TAI;
    int is_known = is_wall || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME;
    if (CBS_LIKELY(hooks == NULL) || !is_known || request == NULL || !cbs_is_valid(request)
        || clock_gettime(clock, &now) != 0) {
        return CBS_REAL(clock_nanosleep)(clock, flags, request, remaining);
    }
    int64_t requested = cbs_nanoseconds(request->tv_sec, request->tv_nsec);
    if ((flags & TIMER_ABSTIME) == 0) {
        int64_t deadline = cbs_deadline(requested);
        int result = cbs_sleep_until(hooks, deadline);
        if (result < 0 && remaining != NULL) {
            *remaining = cbs_time_until(deadline);
        }
        return -result;
    }
    // A wall clock may be set meanwhile: look again at least every second.
    for (;;) {
        int64_t left = requested - cbs_nanoseconds(now.tv_sec, now.tv_nsec);
        int is_last = !is_wall || left <= CBS_SECOND;
        int result = cbs_sleep_until(hooks, cbs_deadline(is_last ? left : CBS_SECOND));
        if (result < 0 || is_last) {
            return -result;
        }
        clock_gettime(clock, &now);
    }
}
