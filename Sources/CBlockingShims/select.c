// select and pselect: looked at with the original and a zero time-out, waited for as a poll of the same descriptors.
#define CBS_AREA CBS_AREA_poll
#include "sets.h"

/// The three sets as given, kept because each look overwrites them. One allocation: sets, then poll entries.
struct cbs_selection {
    size_t set_size;          ///< bytes of one set, whole longs
    unsigned long *asked[3];  ///< readable, writable, exceptional, as given; NULL where the caller gave none
    fd_set *answers[3];       ///< the caller's
    struct pollfd *fds;       ///< the same as poll entries
    nfds_t count;             ///< poll entries in use
    void *allocation;         ///< what to free
};

static int cbs_selection_init(struct cbs_selection *selection, int count, fd_set *sets[3]) {
    const size_t bits = sizeof(long) * CHAR_BIT;
    size_t words = ((size_t)count + bits - 1) / bits;
    *selection = (struct cbs_selection){.set_size = words * sizeof(long)};
    selection->allocation = malloc(3 * selection->set_size + (size_t)count * sizeof(struct pollfd) + 1);
    if (selection->allocation == NULL) {
        return -ENOMEM;
    }
    unsigned long *next = selection->allocation;
    for (int i = 0; i < 3; i++) {
        selection->answers[i] = sets[i];
        if (sets[i] != NULL) {
            memcpy(next, sets[i], selection->set_size);
            selection->asked[i] = next;
        }
        next += words;
    }
    static const short events[3] = {POLLIN, POLLOUT, POLLPRI};
    selection->fds = (struct pollfd *)next;
    for (int fd = 0; fd < count; fd++) {
        short wanted = 0;
        for (int i = 0; i < 3; i++) {
            unsigned long *asked = selection->asked[i];
            if (asked != NULL && (asked[(size_t)fd / bits] >> ((size_t)fd % bits) & 1)) {
                wanted |= events[i];
            }
        }
        if (wanted != 0) {
            selection->fds[selection->count++] = (struct pollfd){.fd = fd, .events = wanted};
        }
    }
    return 0;
}

/// Gives the caller's sets the contents they came with.
static void cbs_restore(struct cbs_selection *selection) {
    for (int i = 0; i < 3; i++) {
        if (selection->answers[i] != NULL) {
            memcpy(selection->answers[i], selection->asked[i], selection->set_size);
        }
    }
}

/// The original, with a zero time-out.
static int cbs_look(struct cbs_selection *selection, int count, const sigset_t *mask) {
    static const struct timespec zero;
    fd_set **sets = selection->answers;
    cbs_restore(selection);
    return CBS_REAL(pselect)(count, sets[0], sets[1], sets[2], &zero, mask);
}

static int cbs_select(
    const cbs_hook_table *hooks, int count, fd_set *readable, fd_set *writable, fd_set *exceptional, int64_t deadline,
    const sigset_t *mask) {
    int error = errno;
    struct cbs_selection selection;
    if (cbs_selection_init(&selection, count, (fd_set *[3]){readable, writable, exceptional}) != 0) {
        errno = ENOMEM;
        return -1;
    }
    int result = 0;
    if (cbs_now() < deadline) {
        result = cbs_look(&selection, count, mask);
    }
    while (result == 0) {
        int ready = cbs_poll(hooks, selection.fds, selection.count, deadline, mask);
        if (ready < 0) {
            result = -1;
            break;
        }
        for (nfds_t i = 0; i < selection.count; i++) {
            if (selection.fds[i].revents & POLLNVAL) {
                errno = EBADF;
                result = -1;
            }
        }
        if (result == 0) {
            result = cbs_look(&selection, count, mask);
        }
        if (ready == 0) {
            break;
        }
        if (result == 0) {
            // poll reports hang-ups and errors that nobody asked for, select does not. Let time pass.
            if (cbs_now() >= deadline) {
                break;
            }
            int64_t end = cbs_deadline(5 * CBS_MILLISECOND);
            int parked = cbs_sleep_beside(hooks, selection.fds, selection.count, end < deadline ? end : deadline);
            if (parked < 0) {
                errno = -parked;
                result = -1;
            }
        }
    }
    if (result < 0) {
        error = errno;
        cbs_restore(&selection);  // as the original leaves them
    }
    free(selection.allocation);
    errno = error;
    return result;
}

static CBS_SLOW int cbs_select_for(
    const cbs_hook_table *hooks, int count, fd_set *readable, fd_set *writable, fd_set *exceptional,
    struct timeval *timeout) {
    if (count < 0 || (timeout != NULL && (timeout->tv_sec < 0 || timeout->tv_usec < 0))) {
        return CBS_REAL(select)(count, readable, writable, exceptional, timeout);
    }
    int64_t deadline = CBS_NEVER;
    if (timeout != NULL) {
        int64_t duration = cbs_nanoseconds(timeout->tv_sec, (int64_t)timeout->tv_usec * 1000);
        deadline = duration == 0 ? 0 : cbs_deadline(duration);
    }
    int result = cbs_select(hooks, count, readable, writable, exceptional, deadline, NULL);
    if (timeout != NULL) {  // Linux writes back the time that was not slept
        int64_t left = deadline - cbs_now();
        left = left < 0 ? 0 : left;
        timeout->tv_sec = left / CBS_SECOND;
        timeout->tv_usec = left % CBS_SECOND / 1000;
    }
    return result;
}

int cbs_shim_select(int count, fd_set *readable, fd_set *writable, fd_set *exceptional, struct timeval *timeout) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(select)(count, readable, writable, exceptional, timeout);
    }
    return cbs_select_for(hooks, count, readable, writable, exceptional, timeout);
}

int cbs_shim_pselect(
    int count, fd_set *readable, fd_set *writable, fd_set *exceptional, const struct timespec *timeout,
    const sigset_t *mask) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || count < 0 || (timeout != NULL && !cbs_is_valid(timeout))) {
        return CBS_REAL(pselect)(count, readable, writable, exceptional, timeout, mask);
    }
    int64_t deadline = CBS_NEVER;
    if (timeout != NULL) {
        int64_t duration = cbs_nanoseconds(timeout->tv_sec, timeout->tv_nsec);
        deadline = duration == 0 ? 0 : cbs_deadline(duration);
    }
    return cbs_select(hooks, count, readable, writable, exceptional, deadline, mask);
}
