// poll and ppoll, plain and fortified.
#define CBS_AREA CBS_AREA_poll
#include "sets.h"

/// With a signal mask of the caller's, signals must be looked for under it; a parked fiber's thread runs under its own.
#define CBS_SIGNAL_INTERVAL (50 * CBS_MILLISECOND)

/// What one registration in the reactor can say: exactly one descriptor, reads or writes, nothing else.
static int cbs_plain_entry(const struct pollfd *fds, nfds_t count, nfds_t *index) {
    nfds_t found = 0;
    for (nfds_t i = 0; i < count; i++) {
        if (fds[i].fd >= 0) {
            if (++found > 1) {
                return 0;
            }
            *index = i;
        }
    }
    if (found == 0) {
        return 0;
    }
    int events = fds[*index].events;
    int plain = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLRDHUP;
    return (events & (POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM)) != 0 && (events & ~plain) == 0;
}

static int cbs_has_descriptor(const struct pollfd *fds, nfds_t count) {
    for (nfds_t i = 0; i < count; i++) {
        if (fds[i].fd >= 0) {
            return 1;
        }
    }
    return 0;
}

int cbs_poll(const cbs_hook_table *hooks, struct pollfd *fds, nfds_t count, int64_t deadline, const sigset_t *mask) {
    static const struct timespec zero;
    int error = errno;
    int is_over = cbs_now() >= deadline;
    int parked = is_over ? cbs_sleep_until(hooks, 0) : 0;  // a zero time-out yields, then looks once
    cbs_wait_set set = CBS_WAIT_SET;
    int misses = 0;
    int result;
    for (;;) {
        result = CBS_REAL(ppoll)(fds, count, &zero, mask);
        if (result != 0) {
            error = result < 0 ? errno : error;
            break;
        }
        if (parked < 0) {
            error = -parked;
            result = -1;
            break;
        }
        if (is_over) {
            break;
        }
        int64_t end = mask == NULL ? deadline : cbs_deadline(CBS_SIGNAL_INTERVAL);
        end = end < deadline ? end : deadline;
        nfds_t index = 0;
        if (!cbs_has_descriptor(fds, count)) {
            parked = cbs_sleep_until(hooks, end);
        } else if (misses < 2 && cbs_plain_entry(fds, count, &index)) {
            // The reactor may wake for less than asked (a half-closed peer, urgent data): after two such wakes, a
            // private instance with the exact mask takes over.
            int wanted = fds[index].events;
            int events = (wanted & (POLLIN | POLLRDNORM)) ? POLLIN : 0;
            events |= (wanted & (POLLOUT | POLLWRNORM)) ? POLLOUT : 0;
            parked = cbs_wait_fd(hooks, fds[index].fd, events, end);
            misses += parked > 0;
            if (parked == -EBADF) {  // closed by another fiber; the number may mean another file by now: do not ask
                fds[index].revents = POLLNVAL;
                result = 1;
                break;
            }
        } else {
            parked = cbs_wait_set_wait(hooks, &set, fds, count, end);
            if (set.closed > 0) {  // as above; what became of the others is not asked either
                result = set.closed;
                break;
            }
        }
        // By the scheduler's clock, which may be another one than ours in a test.
        is_over = parked == 0 && end == deadline;
    }
    cbs_wait_set_end(&set);
    errno = error;
    return result;
}

/// Deadline of a time-out in milliseconds; negative: never.
static int64_t cbs_deadline_of(int milliseconds) {
    return milliseconds < 0 ? CBS_NEVER : milliseconds == 0 ? 0 : cbs_deadline(milliseconds * CBS_MILLISECOND);
}

static CBS_SLOW int cbs_poll_for(const cbs_hook_table *hooks, struct pollfd *fds, nfds_t count, int milliseconds) {
    return cbs_poll(hooks, fds, count, cbs_deadline_of(milliseconds), NULL);
}

int cbs_shim_poll(struct pollfd *fds, nfds_t count, int timeout) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(poll)(fds, count, timeout);
    }
    return cbs_poll_for(hooks, fds, count, timeout);
}

int cbs_shim___poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || size / sizeof *fds < count) {
        return CBS_REAL(__poll_chk)(fds, count, timeout, size);  // the original ends a process that overflows
    }
    return cbs_poll_for(hooks, fds, count, timeout);
}

static int64_t cbs_deadline_of_timespec(const struct timespec *timeout) {
    if (timeout == NULL) {
        return CBS_NEVER;
    }
    int64_t duration = cbs_nanoseconds(timeout->tv_sec, timeout->tv_nsec);
    return duration == 0 ? 0 : cbs_deadline(duration);
}

int cbs_shim_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || (timeout != NULL && !cbs_is_valid(timeout))) {
        return CBS_REAL(ppoll)(fds, count, timeout, mask);
    }
    return cbs_poll(hooks, fds, count, cbs_deadline_of_timespec(timeout), mask);
}

int cbs_shim___ppoll_chk(
    struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask, size_t size) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || size / sizeof *fds < count || (timeout != NULL && !cbs_is_valid(timeout))) {
        return CBS_REAL(__ppoll_chk)(fds, count, timeout, mask, size);
    }
    return cbs_poll(hooks, fds, count, cbs_deadline_of_timespec(timeout), mask);
}
