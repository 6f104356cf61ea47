// recv, recvfrom, recvmsg: tried with MSG_DONTWAIT, then waited for.
#define CBS_AREA CBS_AREA_socket
#include "dispatch.h"

/// Calls that never wait, or wait for something the scheduler cannot see and the kernel answers at once.
#define CBS_IMMEDIATE (MSG_DONTWAIT | MSG_OOB | MSG_ERRQUEUE)

/// Whether MSG_WAITALL means anything for `fd`: message sockets return one message whatever the flag says.
static int cbs_waits_for_all(int fd, int flags) {
    if ((flags & MSG_WAITALL) == 0) {
        return 0;
    }
    int error = errno;
    int type = 0;
    socklen_t size = sizeof type;
    int is_stream = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
    errno = error;
    return is_stream;
}

/// After a partial peek for all: parks until more may have come. Data already there keeps the socket readable, so only
/// time can be waited for. Returns 0 to look again, −errno, or −EPIPE when no more can come.
static int cbs_await_more(const cbs_hook_table *hooks, int fd, cbs_patience *patience) {
    struct pollfd one = {.fd = fd, .events = POLLRDHUP};
    int error = errno;
    int ended = CBS_REAL(poll)(&one, 1, 0) > 0;
    errno = error;
    if (ended) {
        return -EPIPE;
    }
    patience->misses = patience->misses < 3 ? 3 : patience->misses;
    return cbs_await(hooks, fd, POLLIN, patience);
}

ssize_t cbs_receive(
    const cbs_hook_table *hooks, int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
    socklen_t *length) {
    if (flags & CBS_IMMEDIATE) {
        return CBS_REAL(recvfrom)(fd, buffer, size, flags, address, length);
    }
    cbs_patience patience = CBS_PATIENCE(SO_RCVTIMEO);
    int saved = errno;
    int wants_all = cbs_waits_for_all(fd, flags);
    socklen_t capacity = length != NULL ? *length : 0;
    size_t done = 0;
    int error = 0;
    for (;;) {
        ssize_t count = CBS_REAL(recvfrom)(
            fd, (char *)buffer + done, size - done, flags | MSG_DONTWAIT, done == 0 ? address : NULL,
            done == 0 ? length : NULL);
        if (count < 0) {
            error = errno == EAGAIN ? -cbs_await(hooks, fd, POLLIN, &patience) : errno;
            if (error != 0) {
                break;
            }
            if (length != NULL && done == 0) {
                *length = capacity;
            }
            continue;
        }
        if (flags & MSG_PEEK) {  // each look starts at the front again
            if (!wants_all || (size_t)count == size || count == 0 || !cbs_is_blocking(fd, &patience)
                || cbs_await_more(hooks, fd, &patience) != 0) {
                errno = saved;
                return count;
            }
            continue;
        }
        done += (size_t)count;
        patience.misses = 0;
        if (count == 0 || !wants_all || done == size || !cbs_is_blocking(fd, &patience)) {
            break;
        }
    }
    // As the kernel does: what was received goes before the error, which the next call will meet again.
    if (error != 0 && done == 0) {
        errno = error;
        return -1;
    }
    errno = saved;
    return (ssize_t)done;
}

/// One message, waited for.
static ssize_t cbs_receive_once(
    const cbs_hook_table *hooks, int fd, struct msghdr *message, int flags, cbs_patience *patience) {
    struct msghdr asked = *message;
    for (;;) {
        ssize_t count = CBS_REAL(recvmsg)(fd, message, flags | MSG_DONTWAIT);
        if (count >= 0 || errno != EAGAIN) {
            return count;
        }
        int result = cbs_await(hooks, fd, POLLIN, patience);
        if (result < 0) {
            errno = -result;
            return -1;
        }
        *message = asked;
    }
}

ssize_t cbs_receive_message(const cbs_hook_table *hooks, int fd, struct msghdr *message, int flags) {
    if (flags & CBS_IMMEDIATE) {
        return CBS_REAL(recvmsg)(fd, message, flags);
    }
    cbs_patience patience = CBS_PATIENCE(SO_RCVTIMEO);
    int saved = errno;
    size_t control_size = message->msg_controllen;
    ssize_t count = cbs_receive_once(hooks, fd, message, flags, &patience);
    if (count < 0) {
        return -1;
    }
    size_t size = cbs_parts_size(message->msg_iov, message->msg_iovlen);
    size_t done = (size_t)count;
    cbs_parts rest;
    if (count > 0 && done < size && (flags & MSG_PEEK) == 0 && cbs_waits_for_all(fd, flags)
        && cbs_is_blocking(fd, &patience) && cbs_parts_copy(&rest, message->msg_iov, message->msg_iovlen) == 0) {
        // Control data ends a receive: the next message's must not overwrite it.
        while (done < size && message->msg_controllen == 0) {
            cbs_parts_consume(&rest, (size_t)count);
            struct msghdr more = *message;
            more.msg_name = NULL;
            more.msg_namelen = 0;
            more.msg_iov = rest.first;
            more.msg_iovlen = rest.count;
            more.msg_controllen = control_size;
            patience.misses = 0;
            count = cbs_receive_once(hooks, fd, &more, flags, &patience);
            if (count <= 0) {
                break;
            }
            done += (size_t)count;
            message->msg_controllen = more.msg_controllen;
            message->msg_flags = more.msg_flags;
        }
        free(rest.allocation);
    }
    errno = saved;
    return (ssize_t)done;
}

static CBS_SLOW ssize_t cbs_recv(const cbs_hook_table *hooks, int fd, void *buffer, size_t size, int flags) {
    return cbs_receive(hooks, fd, buffer, size, flags, NULL, NULL);
}

ssize_t cbs_shim_recv(int fd, void *buffer, size_t size, int flags) {
    if (cbs_is_corked(fd)) {
        return cbs_try_again();
    }
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(recv)(fd, buffer, size, flags);
    }
    return cbs_recv(hooks, fd, buffer, size, flags);
}

ssize_t cbs_shim_recvfrom(
    int fd, void *buffer, size_t size, int flags, struct sockaddr *address, socklen_t *length) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(recvfrom)(fd, buffer, size, flags, address, length);
    }
    return cbs_receive(hooks, fd, buffer, size, flags, address, length);
}

ssize_t cbs_shim_recvmsg(int fd, struct msghdr *message, int flags) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(recvmsg)(fd, message, flags);
    }
    return cbs_receive_message(hooks, fd, message, flags);
}

ssize_t cbs_shim___recv_chk(int fd, void *buffer, size_t size, size_t capacity, int flags) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || size > capacity) {
        return CBS_REAL(__recv_chk)(fd, buffer, size, capacity, flags);  // the original ends a process that overflows
    }
    return cbs_recv(hooks, fd, buffer, size, flags);
}

ssize_t cbs_shim___recvfrom_chk(
    int fd, void *buffer, size_t size, size_t capacity, int flags, struct sockaddr *address, socklen_t *length) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || size > capacity) {
        return CBS_REAL(__recvfrom_chk)(fd, buffer, size, capacity, flags, address, length);
    }
    return cbs_receive(hooks, fd, buffer, size, flags, address, length);
}
