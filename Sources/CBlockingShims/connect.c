// connect, accept, accept4: the calls that have no MSG_DONTWAIT. On a blocking descriptor they are made through a
// temporary O_NONBLOCK, for as long as the system call takes and never across a park. The flag belongs to the open file
// description: a process that shares the socket and enters the same call within that microsecond sees EAGAIN. The
// alternative for accept, "poll says ready, so accept returns", blocks the whole loop when another process of a
// pre-forking server is faster.
#define CBS_AREA CBS_AREA_socket
#include "dispatch.h"

/// Makes `call` with O_NONBLOCK set; keeps the call's errno. The names end in `_` so that `call` cannot mean them.
#define CBS_WITHOUT_BLOCKING(fd, call)              \
    ({                                              \
        int flags_ = fcntl((fd), F_GETFL);          \
        fcntl((fd), F_SETFL, flags_ | O_NONBLOCK);  \
        int value_ = (call);                        \
        int error_ = errno;                         \
        fcntl((fd), F_SETFL, flags_);               \
        errno = error_;                             \
        value_;                                     \
    })

/// Parks until the connection attempt of `fd` has ended. Returns 0 or −errno.
static int cbs_finish_connect(const cbs_hook_table *hooks, int fd, int64_t deadline) {
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    int ready = cbs_poll(hooks, &one, 1, deadline, NULL);
    if (ready < 0) {
        return -errno;
    }
    if (ready == 0) {
        return -EINPROGRESS;  // what connect(2) returns when SO_SNDTIMEO ends it
    }
    if (one.revents & POLLNVAL) {
        return -EBADF;
    }
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        return -errno;
    }
    return -error;
}

static CBS_SLOW int cbs_connect(const cbs_hook_table *hooks, int fd, const struct sockaddr *address, socklen_t length) {
    cbs_patience patience = CBS_PATIENCE(SO_SNDTIMEO);
    if (!cbs_is_blocking(fd, &patience)) {
        return CBS_REAL(connect)(fd, address, length);
    }
    int saved = errno;
    int64_t nap = CBS_MILLISECOND;
    int is_over = 0;
    for (;;) {
        if (CBS_WITHOUT_BLOCKING(fd, CBS_REAL(connect)(fd, address, length)) == 0) {
            errno = saved;
            return 0;
        }
        if (errno == EINPROGRESS || errno == EALREADY) {
            int result = cbs_finish_connect(hooks, fd, patience.deadline);
            errno = result == 0 ? saved : -result;
            return result == 0 ? 0 : -1;
        }
        if (errno != EAGAIN || is_over) {
            return -1;
        }
        // AF_UNIX with a full backlog (for TCP: no local port left, which the original reports too). Nothing announces
        // room in another socket's backlog, so ask again.
        int domain = 0;
        socklen_t size = sizeof domain;
        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX) {
            errno = EAGAIN;
            return -1;
        }
        int64_t end = cbs_deadline(nap);
        nap = nap < 32 * CBS_MILLISECOND ? nap * 2 : nap;
        is_over = end >= patience.deadline;
        int result = cbs_sleep_for(hooks, fd, is_over ? patience.deadline : end);
        if (result < 0) {
            errno = -result;
            return -1;
        }
    }
}

/// Whether accepting on `fd` could wait: a listening socket in blocking mode.
static int cbs_accept_waits(int fd, cbs_patience *patience) {
    int error = errno;
    int is_listening = 0;
    socklen_t size = sizeof is_listening;
    int result = getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) == 0 && is_listening
        && cbs_is_blocking(fd, patience);
    errno = error;
    return result;
}

/// Parks until `fd` has a connection to accept. Returns 0, or −1 with errno.
static int cbs_await_connection(const cbs_hook_table *hooks, int fd, cbs_patience *patience) {
    struct pollfd one = {.fd = fd, .events = POLLIN};
    int saved = errno;
    if (patience->misses == 0 && CBS_REAL(poll)(&one, 1, 0) > 0) {
        return 0;
    }
    errno = saved;
    int result = cbs_await(hooks, fd, POLLIN, patience);
    if (result < 0) {
        errno = -result;
        return -1;
    }
    return 0;
}

/// The body of both accepts, which differ in `call` alone.
#define CBS_ACCEPT(hooks, fd, call)                                                          \
    ({                                                                                       \
        cbs_patience patience_ = CBS_PATIENCE(SO_RCVTIMEO);                                  \
        int accepted_ = -1;                                                                  \
        int saved_ = errno;                                                                  \
        if (!cbs_accept_waits((fd), &patience_)) {                                           \
            accepted_ = (call);                                                              \
        } else {                                                                             \
            while (cbs_await_connection((hooks), (fd), &patience_) == 0) {                   \
                accepted_ = CBS_WITHOUT_BLOCKING((fd), (call));                              \
                if (accepted_ >= 0 || errno != EAGAIN) {                                     \
                    break;                                                                   \
                }                                                                            \
                patience_.misses += patience_.misses == 0; /* somebody else was faster */    \
            }                                                                                \
        }                                                                                    \
        if (accepted_ >= 0) {                                                                \
            errno = saved_;                                                                  \
        }                                                                                    \
        accepted_;                                                                           \
    })

static CBS_SLOW int cbs_accept(const cbs_hook_table *hooks, int fd, struct sockaddr *address, socklen_t *length) {
    return CBS_ACCEPT(hooks, fd, CBS_REAL(accept)(fd, address, length));
}

static CBS_SLOW int cbs_accept4(
    const cbs_hook_table *hooks, int fd, struct sockaddr *address, socklen_t *length, int flags) {
    return CBS_ACCEPT(hooks, fd, CBS_REAL(accept4)(fd, address, length, flags));
}

int cbs_shim_connect(int fd, const struct sockaddr *address, socklen_t length) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(connect)(fd, address, length);
    }
    return cbs_connect(hooks, fd, address, length);
}

int cbs_shim_accept(int fd, struct sockaddr *address, socklen_t *length) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(accept)(fd, address, length);
    }
    return cbs_accept(hooks, fd, address, length);
}

int cbs_shim_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(accept4)(fd, address, length, flags);
    }
    return cbs_accept4(hooks, fd, address, length, flags);
}
