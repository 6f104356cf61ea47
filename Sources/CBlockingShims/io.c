// read, write, readv and writev on whatever a descriptor may be.
//
// A socket: as recv and send without flags. A regular file or block device: always "ready", so files.c has what they
// need. A directory: the original, which refuses. The rest (pipe, terminal, eventfd, timerfd, inotify, …) in blocking
// mode: tried with RWF_NOWAIT where the kernel has it for that kind of file, otherwise polled first. The flag is the
// better way, because between poll and read another process may take the data, and then the read would block the loop.
#define CBS_AREA CBS_AREA_io
#include "files.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif

/// preadv2/pwritev2 at the current position. By system call: offset −1 is split over two arguments, the upper half of
/// which 64-bit kernels ignore.
static ssize_t cbs_try(long number, int fd, const struct iovec *parts, size_t count) {
    return syscall(number, fd, parts, count, -1L, -1L, RWF_NOWAIT);
}

/// Whether the kernel has no RWF_NOWAIT for this file (EINVAL: the flag is older than the kernel).
static int cbs_is_unsupported(int error) {
    return error == EOPNOTSUPP || error == ENOSYS || error == EINVAL || error == ESPIPE;
}

enum cbs_kind cbs_kind_of(int fd, cbs_patience *patience) {
    int error = errno;
    struct stat status;
    enum cbs_kind kind = CBS_PASS_THROUGH;
    if (fstat(fd, &status) == 0) {
        switch (status.st_mode & S_IFMT) {
        case S_IFDIR:
            break;
        case S_IFREG:
        case S_IFBLK:
            kind = CBS_FILE;
            break;
        case S_IFSOCK:
            kind = CBS_SOCKET;
            break;
        default:
            if (cbs_is_blocking(fd, patience)) {
                struct termios settings;
                kind = S_ISFIFO(status.st_mode)                                        ? CBS_PIPE
                    : S_ISCHR(status.st_mode) && ioctl(fd, TCGETS, &settings) == 0 ? CBS_TERMINAL
                                                                                       : CBS_OTHER;
            }
        }
    }
    errno = error;
    return kind;
}

static int cbs_is_ready(int fd, int events) {
    struct pollfd one = {.fd = fd, .events = (short)events};
    return CBS_REAL(poll)(&one, 1, 0) != 0;
}

/// readv and writev of a regular file.
static ssize_t cbs_file_vector(
    const cbs_hook_table *hooks, enum cbs_file_opcode opcode, int fd, const struct iovec *parts, int count) {
    cbs_parts copy;
    if (cbs_parts_copy(&copy, parts, (size_t)count) != 0) {
        errno = ENOMEM;
        return -1;
    }
    ssize_t result = cbs_file_transfer(hooks, opcode, fd, &copy, -1, 0);
    free(copy.allocation);
    return result;
}

// MARK: Reading

/// Reads what is there from a blocking file that is no socket.
static ssize_t cbs_read_waiting(
    const cbs_hook_table *hooks, int fd, const struct iovec *parts, int count, cbs_patience *patience) {
    int saved = errno;
    int is_flag_known = 1;
    for (;;) {
        ssize_t result = -1;
        errno = EOPNOTSUPP;
        if (is_flag_known) {
            result = cbs_try(SYS_preadv2, fd, parts, (size_t)count);
        }
        if (result < 0 && cbs_is_unsupported(errno)) {
            is_flag_known = 0;
            errno = EAGAIN;
            if (cbs_is_ready(fd, POLLIN)) {
                errno = saved;
                return CBS_REAL(readv)(fd, parts, count);
            }
        }
        if (result >= 0) {
            errno = saved;
            return result;
        }
        if (errno != EAGAIN) {
            return -1;
        }
        int error = -cbs_await(hooks, fd, POLLIN, patience);
        if (error != 0) {
            errno = error;
            return -1;
        }
    }
}

CBS_SLOW ssize_t cbs_read(const cbs_hook_table *hooks, int fd, void *buffer, size_t size) {
    if (size == 0) {
        return CBS_REAL(read)(fd, buffer, size);
    }
    // Sockets are what libraries read from, so they are tried first: one system call when data is there.
    int saved = errno;
    ssize_t received = cbs_receive(hooks, fd, buffer, size, 0, NULL, NULL);
    if (received >= 0 || errno != ENOTSOCK) {
        return received;
    }
    errno = saved;
    cbs_patience patience = CBS_PATIENCE(0);
    struct iovec part = {.iov_base = buffer, .iov_len = size};
    cbs_parts parts = {.first = &part, .count = 1};
    switch (cbs_kind_of(fd, &patience)) {
    case CBS_PASS_THROUGH:
        return CBS_REAL(read)(fd, buffer, size);
    case CBS_FILE:
        return cbs_file_transfer(hooks, CBS_FILE_READ, fd, &parts, -1, 0);
    default:
        return cbs_read_waiting(hooks, fd, &part, 1, &patience);
    }
}

static CBS_SLOW ssize_t cbs_readv(const cbs_hook_table *hooks, int fd, const struct iovec *parts, int count) {
    cbs_patience patience = CBS_PATIENCE(0);
    int is_sane = count > 0 && count <= IOV_MAX && cbs_parts_size(parts, (size_t)count) > 0;
    switch (is_sane ? cbs_kind_of(fd, &patience) : CBS_PASS_THROUGH) {
    case CBS_PASS_THROUGH:
        return CBS_REAL(readv)(fd, parts, count);
    case CBS_FILE:
        return cbs_file_vector(hooks, CBS_FILE_READ, fd, parts, count);
    case CBS_SOCKET: {
        struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
        return cbs_receive_message(hooks, fd, &message, 0);
    }
    default:
        return cbs_read_waiting(hooks, fd, parts, count, &patience);
    }
}

// MARK: Writing

/// How much of `size` may be written after POLLOUT without blocking: a pipe has room for one page then, a terminal for
/// a few hundred bytes. Other devices take whole records.
static size_t cbs_safe_size(enum cbs_kind kind, size_t size) {
    size_t limit = kind == CBS_PIPE ? PIPE_BUF : kind == CBS_TERMINAL ? 256 : size;
    return size < limit ? size : limit;
}

/// Writes all of `parts` to a blocking file that is no socket. Consumes `parts`.
static ssize_t cbs_write_waiting(
    const cbs_hook_table *hooks, int fd, enum cbs_kind kind, cbs_parts *parts, cbs_patience *patience) {
    int saved = errno;
    int is_flag_known = 1;
    size_t done = 0;
    int error = 0;
    for (;;) {
        cbs_parts_consume(parts, 0);  // empty parts: there is nothing to write in them, and a write of 0 bytes ends this
        if (parts->count == 0) {
            break;
        }
        ssize_t result = -1;
        errno = EOPNOTSUPP;
        if (is_flag_known) {
            result = cbs_try(SYS_pwritev2, fd, parts->first, parts->count);
        }
        if (result < 0 && cbs_is_unsupported(errno)) {
            is_flag_known = 0;
            errno = EAGAIN;
            if (cbs_is_ready(fd, POLLOUT)) {
                size_t size = cbs_safe_size(kind, parts->first->iov_len);
                result = kind == CBS_OTHER ? CBS_REAL(writev)(fd, parts->first, (int)parts->count)
                                           : CBS_REAL(write)(fd, parts->first->iov_base, size);
            }
        }
        if (result >= 0) {
            done += (size_t)result;
            patience->misses = 0;
            cbs_parts_consume(parts, (size_t)result);
            if (result == 0) {
                break;
            }
            continue;
        }
        error = errno == EAGAIN ? -cbs_await(hooks, fd, POLLOUT, patience) : errno;
        if (error != 0) {
            break;
        }
    }
    if (error != 0 && done == 0) {
        errno = error;
        return -1;
    }
    errno = saved;
    return (ssize_t)done;
}

CBS_SLOW ssize_t cbs_write(const cbs_hook_table *hooks, int fd, const void *buffer, size_t size) {
    int saved = errno;
    ssize_t sent = cbs_send(hooks, fd, buffer, size, 0, NULL, 0);
    if (sent >= 0 || errno != ENOTSOCK) {
        return sent;
    }
    errno = saved;
    cbs_patience patience = CBS_PATIENCE(0);
    enum cbs_kind kind = cbs_kind_of(fd, &patience);
    if (size == 0 || kind == CBS_PASS_THROUGH) {
        return CBS_REAL(write)(fd, buffer, size);
    }
    struct iovec part = {.iov_base = (void *)buffer, .iov_len = size};
    cbs_parts parts = {.first = &part, .count = 1};
    if (kind == CBS_FILE) {
        return cbs_file_transfer(hooks, CBS_FILE_WRITE, fd, &parts, -1, 0);
    }
    return cbs_write_waiting(hooks, fd, kind, &parts, &patience);
}

static CBS_SLOW ssize_t cbs_writev(const cbs_hook_table *hooks, int fd, const struct iovec *parts, int count) {
    cbs_patience patience = CBS_PATIENCE(0);
    int is_sane = count > 0 && count <= IOV_MAX && cbs_parts_size(parts, (size_t)count) > 0;
    enum cbs_kind kind = is_sane ? cbs_kind_of(fd, &patience) : CBS_PASS_THROUGH;
    switch (kind) {
    case CBS_PASS_THROUGH:
        return CBS_REAL(writev)(fd, parts, count);
    case CBS_FILE:
        return cbs_file_vector(hooks, CBS_FILE_WRITE, fd, parts, count);
    case CBS_SOCKET: {
        struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
        return cbs_send_message(hooks, fd, &message, 0);
    }
    default: {
        cbs_parts copy;
        if (cbs_parts_copy(&copy, parts, (size_t)count) != 0) {
            errno = ENOMEM;
            return -1;
        }
        ssize_t result = cbs_write_waiting(hooks, fd, kind, &copy, &patience);
        free(copy.allocation);
        return result;
    }
    }
}

// MARK: Shims

ssize_t cbs_shim_read(int fd, void *buffer, size_t size) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(read)(fd, buffer, size);
    }
    return cbs_read(hooks, fd, buffer, size);
}

ssize_t cbs_shim___read_chk(int fd, void *buffer, size_t size, size_t capacity) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || size > capacity) {
        return CBS_REAL(__read_chk)(fd, buffer, size, capacity);  // the original ends a process that overflows
    }
    return cbs_read(hooks, fd, buffer, size);
}

ssize_t cbs_shim_readv(int fd, const struct iovec *parts, int count) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(readv)(fd, parts, count);
    }
    return cbs_readv(hooks, fd, parts, count);
}

ssize_t cbs_shim_write(int fd, const void *buffer, size_t size) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(write)(fd, buffer, size);
    }
    return cbs_write(hooks, fd, buffer, size);
}

ssize_t cbs_shim_writev(int fd, const struct iovec *parts, int count) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(writev)(fd, parts, count);
    }
    return cbs_writev(hooks, fd, parts, count);
}
