// The ways a shim parks its fiber, over the hooks.
#include "sets.h"

int cbs_wait_fd(const cbs_hook_table *hooks, int fd, int events, int64_t deadline) {
    int result = CBS_CALL(hooks->wait_fd(fd, events, deadline));
    if (result == -EPERM) {
        return events;  // epoll does not take it: a regular file or a device without readiness, always ready
    }
    if (result == -EBUSY) {
        cbs_wait_set set = CBS_WAIT_SET;
        struct pollfd one = {.fd = fd, .events = (short)events};
        result = cbs_wait_set_wait(hooks, &set, &one, 1, deadline);
        cbs_wait_set_end(&set);
        return result > 0 ? events : result;
    }
    return result;
}

int cbs_sleep_until(const cbs_hook_table *hooks, int64_t deadline) {
    return CBS_CALL(hooks->sleep_until(deadline));
}

int cbs_offload(const cbs_hook_table *hooks, void (*work)(void *), void (*release)(void *), void *argument) {
    return CBS_CALL(hooks->offload(work, release, argument));
}

// MARK: Waits that somebody else ends

void *cbs_wait_begin(const cbs_hook_table *hooks, enum cbs_lock_type type, const void *lock) {
    return CBS_CALL(hooks->wait_begin(type, lock));
}

int cbs_wait_park(const cbs_hook_table *hooks, void *wait, int64_t deadline, int is_killable) {
    return CBS_CALL(hooks->wait_park(wait, deadline, is_killable));
}

void cbs_wait_end(const cbs_hook_table *hooks, void *wait) {
    CBS_CALL((hooks->wait_end(wait), 0));
}

// MARK: Patience

int cbs_is_blocking(int fd, cbs_patience *patience) {
    if (!patience->is_known) {
        int error = errno;
        int flags = fcntl(fd, F_GETFL);
        patience->is_blocking = flags >= 0 && (flags & O_NONBLOCK) == 0;
        patience->deadline = CBS_NEVER;
        struct timeval limit = {0};
        socklen_t size = sizeof limit;
        if (patience->is_blocking && patience->option != 0
            && getsockopt(fd, SOL_SOCKET, patience->option, &limit, &size) == 0
            && (limit.tv_sec > 0 || limit.tv_usec > 0)) {
            patience->deadline = cbs_deadline(cbs_nanoseconds(limit.tv_sec, limit.tv_usec * 1000));
        }
        patience->is_known = 1;
        errno = error;
    }
    return patience->is_blocking;
}

int cbs_await(const cbs_hook_table *hooks, int fd, int events, cbs_patience *patience) {
    if (!cbs_is_blocking(fd, patience)) {
        return -EAGAIN;
    }
    // "Ready" may not mean that the call goes through: another process took what was there, or the kernel's POLLOUT
    // says nothing of the peer's queue (unconnected AF_UNIX datagrams). Then time has to pass, or this would spin.
    int result;
    if (patience->misses < 3) {
        result = cbs_wait_fd(hooks, fd, events, patience->deadline);
        patience->misses++;
    } else {
        int shift = patience->misses - 3;
        int64_t end = cbs_deadline(CBS_MILLISECOND << (shift < 5 ? shift : 5));
        result = cbs_sleep_for(hooks, fd, end < patience->deadline ? end : patience->deadline);
        patience->misses = patience->misses < 8 ? patience->misses + 1 : 1;
        if (result == 0) {
            result = end < patience->deadline;
        }
    }
    return result > 0 ? 0 : result == 0 ? -EAGAIN : result;
}
