// The ways a shim parks its fiber, over the hooks.
#include "dispatch.h"

/// Calls a hook, keeping errno: shims report errors by value, and a call that succeeds leaves errno alone. Locks that the
/// scheduler's own code takes meanwhile, on this fiber, do not park it a second time (mutex.c).
#define CBS_CALL(call)                           \
    ({                                           \
        int error_ = errno;                      \
        cf_fiber *fiber_ = cf_fiber_current();   \
        int32_t outer_ = fiber_->is_in_hook;     \
        fiber_->is_in_hook = 1;                  \
        __typeof__(call) value_ = (call);        \
        fiber_->is_in_hook = outer_;             \
        errno = error_;                          \
        value_;                                  \
    })

int cbs_wait_fd(const cbs_hook_table *hooks, int fd, int events, int64_t deadline) {
    int result = CBS_CALL(hooks->wait_fd(fd, events, deadline));
    if (result == -EPERM) {
        return events;  // epoll does not take it: a regular file or a device without readiness, always ready
    }
    if (result == -EBUSY) {
        cbs_wait_set set = CBS_WAIT_SET;
        struct pollfd one = {.fd = fd, .events = (short)events};
        result = cbs_wait_set_wait(hooks, &set, &one, 1, deadline);
        cbs_wait_set_close(hooks, &set);
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

void cbs_will_close(const cbs_hook_table *hooks, int fd) {
    CBS_CALL((hooks->will_close(fd), 0));
}

// MARK: Waits that somebody else ends

void *cbs_wait_begin(const cbs_hook_table *hooks) { return CBS_CALL(hooks->wait_begin()); }

int cbs_wait_park(const cbs_hook_table *hooks, void *wait, int64_t deadline, int is_killable) {
    return CBS_CALL(hooks->wait_park(wait, deadline, is_killable));
}

void cbs_wait_end(const cbs_hook_table *hooks, void *wait) {
    CBS_CALL((hooks->wait_end(wait), 0));
}

// MARK: Several descriptors
//
// A private epoll instance, itself waited for with `wait_fd`: an epoll descriptor is readable while one of its own has
// an event, and instances nest (epoll(7); at most five deep, ours is the second level). The alternative, handing the
// whole array to the scheduler, would give the reactor one registration per descriptor to make and take back, several
// waiters for one descriptor, and masks (POLLPRI, errors alone) that its readers and writers do not know.
// Registrations are level-triggered: "readable" means "ask poll again", never more.

/// Sleeps a little, in place of a wait that cannot be had (EMFILE, nesting too deep). Grows from 1 ms to 16 ms.
static int cbs_nap(const cbs_hook_table *hooks, cbs_wait_set *set, int64_t deadline) {
    int64_t end = cbs_deadline(CBS_MILLISECOND << (set->naps < 4 ? set->naps : 4));
    set->naps++;
    int result = cbs_sleep_until(hooks, end < deadline ? end : deadline);
    return result < 0 ? result : end < deadline;
}

/// Registers `fds`. Returns 0, 1 when one is ready as it is, or −errno.
static int cbs_wait_set_fill(int epoll_fd, const struct pollfd *fds, nfds_t count) {
    for (nfds_t i = 0; i < count; i++) {
        if (fds[i].fd < 0) {
            continue;
        }
        // POLLIN … POLLRDHUP have the values of EPOLLIN … EPOLLRDHUP.
        struct epoll_event event = {.events = (uint32_t)(unsigned short)fds[i].events};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fds[i].fd, &event) == 0) {
            continue;
        }
        if (errno == EEXIST) {  // named twice: wait for what both entries ask
            for (nfds_t j = 0; j < i; j++) {
                event.events |= fds[j].fd == fds[i].fd ? (uint32_t)(unsigned short)fds[j].events : 0;
            }
            if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fds[i].fd, &event) != 0) {
                return -errno;
            }
        } else if (errno == EPERM) {  // a regular file: ready for reads and writes, never for anything else
            if (fds[i].events & (POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM)) {
                return 1;
            }
        } else {
            return errno == EBADF ? 1 : -errno;  // poll reports POLLNVAL
        }
    }
    return 0;
}

int cbs_wait_set_wait(
    const cbs_hook_table *hooks, cbs_wait_set *set, const struct pollfd *fds, nfds_t count, int64_t deadline) {
    int error = errno;
    if (set->epoll_fd < 0 && set->naps == 0) {
        int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        int filled = epoll_fd < 0 ? -errno : cbs_wait_set_fill(epoll_fd, fds, count);
        if (filled != 0 && epoll_fd >= 0) {
            CBS_REAL(close)(epoll_fd);
        }
        errno = error;
        if (filled > 0) {
            return 1;
        }
        set->epoll_fd = filled == 0 ? epoll_fd : -1;
    }
    if (set->epoll_fd < 0) {
        return cbs_nap(hooks, set, deadline);
    }
    int result = cbs_wait_fd(hooks, set->epoll_fd, POLLIN, deadline);
    return result > 0 ? 1 : result;
}

void cbs_wait_set_close(const cbs_hook_table *hooks, cbs_wait_set *set) {
    if (set->epoll_fd >= 0) {
        int error = errno;
        cbs_will_close(hooks, set->epoll_fd);
        CBS_REAL(close)(set->epoll_fd);
        errno = error;
        set->epoll_fd = -1;
    }
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
        result = cbs_sleep_until(hooks, end < patience->deadline ? end : patience->deadline);
        patience->misses = patience->misses < 8 ? patience->misses + 1 : 1;
        if (result == 0) {
            result = end < patience->deadline;
        }
    }
    return result > 0 ? 0 : result == 0 ? -EAGAIN : result;
}
