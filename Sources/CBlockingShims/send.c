// send, sendto, sendmsg: tried with MSG_DONTWAIT; on a blocking descriptor repeated until all is sent.
#define CBS_AREA CBS_AREA_socket
#include "dispatch.h"

/// Retries after some bytes went out are silent: the kernel reports a partial count first and raises SIGPIPE for the
/// next call of the program, not for this one.
#define CBS_RETRY_FLAGS(done) (MSG_DONTWAIT | ((done) > 0 ? MSG_NOSIGNAL : 0))

ssize_t cbs_send(
    const cbs_hook_table *hooks, int fd, const void *buffer, size_t size, int flags, const struct sockaddr *address,
    socklen_t length) {
    if (flags & MSG_DONTWAIT) {
        return CBS_REAL(sendto)(fd, buffer, size, flags, address, length);
    }
    cbs_patience patience = CBS_PATIENCE(SO_SNDTIMEO);
    int saved = errno;
    size_t done = 0;
    int error = 0;
    do {
        ssize_t count = CBS_REAL(sendto)(
            fd, (const char *)buffer + done, size - done, flags | CBS_RETRY_FLAGS(done), address, length);
        if (count >= 0) {
            done += (size_t)count;
            patience.misses = 0;
        } else {
            error = errno == EAGAIN ? -cbs_await(hooks, fd, POLLOUT, &patience) : errno;
            if (error == 0) {
                continue;
            }
        }
        // Message sockets send all or nothing, so only a stream in blocking mode comes round again.
    } while (error == 0 && done < size && cbs_is_blocking(fd, &patience));
    if (error != 0 && done == 0) {
        errno = error;
        return -1;
    }
    errno = saved;
    return (ssize_t)done;
}

ssize_t cbs_send_message(const cbs_hook_table *hooks, int fd, const struct msghdr *message, int flags) {
    if (flags & MSG_DONTWAIT) {
        return CBS_REAL(sendmsg)(fd, message, flags);
    }
    cbs_patience patience = CBS_PATIENCE(SO_SNDTIMEO);
    int saved = errno;
    cbs_parts rest = {0};
    struct msghdr next = *message;
    size_t size = 0;
    size_t done = 0;
    int error = 0;
    for (;;) {
        ssize_t count = CBS_REAL(sendmsg)(fd, &next, flags | CBS_RETRY_FLAGS(done));
        if (count < 0) {
            error = errno == EAGAIN ? -cbs_await(hooks, fd, POLLOUT, &patience) : errno;
            if (error != 0) {
                break;
            }
            continue;
        }
        if (done == 0) {
            size = cbs_parts_size(message->msg_iov, message->msg_iovlen);
        }
        done += (size_t)count;
        patience.misses = 0;
        if (done >= size || !cbs_is_blocking(fd, &patience)) {
            break;
        }
        if (rest.allocation == NULL) {
            error = -cbs_parts_copy(&rest, message->msg_iov, message->msg_iovlen);
            if (error != 0) {
                break;
            }
        }
        cbs_parts_consume(&rest, (size_t)count);
        next.msg_iov = rest.first;
        next.msg_iovlen = rest.count;
        next.msg_control = NULL;  // went with the first bytes
        next.msg_controllen = 0;
    }
    free(rest.allocation);
    if (error != 0 && done == 0) {
        errno = error;
        return -1;
    }
    errno = saved;
    return (ssize_t)done;
}

static CBS_SLOW ssize_t cbs_send_plain(
    const cbs_hook_table *hooks, int fd, const void *buffer, size_t size, int flags) {
    return cbs_send(hooks, fd, buffer, size, flags, NULL, 0);
}

ssize_t cbs_shim_send(int fd, const void *buffer, size_t size, int flags) {
    if (cbs_is_corked(fd)) {
        return cbs_try_again();
    }
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(send)(fd, buffer, size, flags);
    }
    return cbs_send_plain(hooks, fd, buffer, size, flags);
}

ssize_t cbs_shim_sendto(
    int fd, const void *buffer, size_t size, int flags, const struct sockaddr *address, socklen_t length) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(sendto)(fd, buffer, size, flags, address, length);
    }
    return cbs_send(hooks, fd, buffer, size, flags, address, length);
}

ssize_t cbs_shim_sendmsg(int fd, const struct msghdr *message, int flags) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(sendmsg)(fd, message, flags);
    }
    return cbs_send_message(hooks, fd, message, flags);
}
