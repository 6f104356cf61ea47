// recvmmsg, sendmmsg: several messages in one call; eventfd_read, eventfd_write: read and write under other names.
#define CBS_AREA CBS_AREA_socket
#include "dispatch.h"

static int is_stream(int fd) {
    int error = errno;
    int type = 0;
    socklen_t size = sizeof type;
    int result = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type == SOCK_STREAM;
    errno = error;
    return result;
}

/// As the kernel: waits for every message (for the first only, with MSG_WAITFORONE), and looks at the time-out after
/// each; what was received goes before an error.
static CBS_SLOW int receive_messages(
    const cbs_hook_table *hooks, int fd, struct mmsghdr *messages, unsigned int count, int flags,
    struct timespec *timeout) {
    int64_t deadline = timeout == NULL ? CBS_NEVER : cbs_deadline(cbs_nanoseconds(timeout->tv_sec, timeout->tv_nsec));
    cbs_patience patience = CBS_PATIENCE(SO_RCVTIMEO);
    int saved = errno;
    int error = 0;
    unsigned int done = 0;
    while (done < count && error == 0) {
        if (flags & MSG_WAITALL) {
            ssize_t size = cbs_receive_message(hooks, fd, &messages[done].msg_hdr, flags & ~MSG_WAITFORONE);
            error = size < 0 ? errno : 0;
            messages[done].msg_len = size < 0 ? 0 : (unsigned int)size;
            done += size >= 0;
        } else {
            int received = CBS_REAL(recvmmsg)(fd, messages + done, count - done, flags | MSG_DONTWAIT, NULL);
            if (received < 0) {
                error = errno == EAGAIN ? -cbs_await(hooks, fd, POLLIN, &patience) : errno;
                continue;
            }
            done += (unsigned int)received;
            patience.misses = 0;
        }
        if ((done > 0 && (flags & MSG_WAITFORONE)) || cbs_now() >= deadline || !cbs_is_blocking(fd, &patience)) {
            break;
        }
    }
    if (timeout != NULL) {
        int64_t left = deadline == CBS_NEVER ? 0 : deadline - cbs_now();
        left = left < 0 ? 0 : left;
        *timeout = (struct timespec){.tv_sec = left / CBS_SECOND, .tv_nsec = left % CBS_SECOND};
    }
    errno = done > 0 || error == 0 ? saved : error;
    return done > 0 || error == 0 ? (int)done : -1;
}

int cbs_shim_recvmmsg(
    int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || (flags & (MSG_DONTWAIT | MSG_OOB | MSG_ERRQUEUE))
        || (timeout != NULL && !cbs_is_valid(timeout))) {
        return CBS_REAL(recvmmsg)(fd, messages, count, flags, timeout);
    }
    return receive_messages(hooks, fd, messages, count, flags, timeout);
}

static CBS_SLOW int send_messages(
    const cbs_hook_table *hooks, int fd, struct mmsghdr *messages, unsigned int count, int flags) {
    int saved = errno;
    unsigned int done = 0;
    // A stream takes parts of messages, which the single form goes on with; others take all or nothing.
    if (!is_stream(fd)) {
        int sent = CBS_REAL(sendmmsg)(fd, messages, count, flags | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN) {
            return -1;
        }
        done = sent < 0 ? 0 : (unsigned int)sent;
    }
    while (done < count) {
        ssize_t size = cbs_send_message(hooks, fd, &messages[done].msg_hdr, flags);
        if (size < 0) {
            break;
        }
        messages[done].msg_len = (unsigned int)size;
        done++;
    }
    if (done == 0 && count > 0) {
        return -1;
    }
    errno = saved;
    return (int)done;
}

int cbs_shim_sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || (flags & MSG_DONTWAIT)) {
        return CBS_REAL(sendmmsg)(fd, messages, count, flags);
    }
    return send_messages(hooks, fd, messages, count, flags);
}

#undef CBS_AREA
#define CBS_AREA CBS_AREA_io

int cbs_shim_eventfd_read(int fd, eventfd_t *value) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(eventfd_read)(fd, value);
    }
    return cbs_shim_read(fd, value, sizeof *value) == sizeof *value ? 0 : -1;
}

int cbs_shim_eventfd_write(int fd, eventfd_t value) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(eventfd_write)(fd, value);
    }
    return cbs_shim_write(fd, &value, sizeof value) == sizeof value ? 0 : -1;
}
