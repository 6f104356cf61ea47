// pread, pwrite, preadv, pwritev and relatives, fsync, fdatasync, sync_file_range; and how files are read and written
// for io.c. A regular file or block device is always "ready", yet a disk may take its time.
//
// First with RWF_NOWAIT: what is in the page cache comes without another thread. What is not, and every write to a file
// system without that flag for writes, goes through one door: `cbs_file_operation`, done by the scheduler's `perform`.
// An operation uses its caller's buffer, hence is never given up half-way: killed, the fiber is told by its next wait.
//
// Files without a disk behind them (proc, sysfs, tmpfs) are used on the calling thread: for them a worker costs more
// than it saves, and what /proc says or takes may depend on the thread that asks.
#define CBS_AREA CBS_AREA_file
#include "files.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif

// MARK: The one door

/// Of `value`, −1 with errno, the result of an operation.
#define CBS_RESULT(value)                          \
    ({                                             \
        int64_t value_ = (value);                  \
        value_ < 0 ? -(int64_t)errno : value_;     \
    })

static int64_t cbs_transfer(const cbs_file_operation *operation) {
    int fd = operation->fd;
    const struct iovec *parts = operation->parts;
    int count = operation->count;
    off_t offset = operation->offset;
    if (operation->opcode == CBS_FILE_READ) {
        return operation->flags != 0 ? CBS_REAL(preadv2)(fd, parts, count, offset, operation->flags)
            : offset == -1           ? CBS_REAL(readv)(fd, parts, count)
                                     : CBS_REAL(preadv)(fd, parts, count, offset);
    }
    return operation->flags != 0 ? CBS_REAL(pwritev2)(fd, parts, count, offset, operation->flags)
        : offset == -1           ? CBS_REAL(writev)(fd, parts, count)
                                 : CBS_REAL(pwritev)(fd, parts, count, offset);
}

/// Whether opening the file may wait for somebody to open it for the other direction.
static int cbs_is_waiting_fifo(const cbs_file_operation *operation) {
    struct stat status;
    int flags = operation->flags;
    if ((flags & (O_NONBLOCK | O_PATH | O_DIRECTORY)) != 0 || (flags & O_ACCMODE) == O_RDWR) {
        return 0;
    }
    int nofollow = (flags & O_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
    return fstatat(operation->fd, operation->path, &status, nofollow) == 0 && S_ISFIFO(status.st_mode);
}

void cbs_file_operation_run(cbs_file_operation *operation) {
    int error = errno;
    switch (operation->opcode) {
    case CBS_FILE_READ:
    case CBS_FILE_WRITE:
        operation->result = CBS_RESULT(cbs_transfer(operation));
        break;
    case CBS_FILE_SYNC:
        operation->result = CBS_RESULT(CBS_REAL(fsync)(operation->fd));
        break;
    case CBS_FILE_SYNC_DATA:
        operation->result = CBS_RESULT(CBS_REAL(fdatasync)(operation->fd));
        break;
    case CBS_FILE_SYNC_RANGE:
        operation->result = CBS_RESULT(CBS_REAL(sync_file_range)(
            operation->fd, operation->offset, operation->length, (unsigned int)operation->flags));
        break;
    case CBS_FILE_OPEN:
        operation->result = cbs_is_waiting_fifo(operation)
            ? CBS_FILE_IS_FIFO
            : CBS_RESULT(CBS_REAL(openat)(operation->fd, operation->path, operation->flags, operation->mode));
        break;
    default:
        operation->result = -ENOSYS;
    }
    errno = error;
}

int64_t cbs_file(const cbs_hook_table *hooks, cbs_file_operation *operation) {
    int error = errno;
    if (hooks->perform(operation) != 0) {
        cbs_file_operation_run(operation);  // nobody to hand it to: late is better than never
    }
    errno = error;
    return operation->result;
}

// MARK: Reading and writing

/// Whether a disk, or a server, may keep readers and writers of `fd` waiting.
static int cbs_is_slow(int fd) {
    struct stat status;
    struct statfs system;
    if (fstat(fd, &status) != 0 || (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))) {
        return 0;
    }
    if (S_ISBLK(status.st_mode) || fstatfs(fd, &system) != 0) {
        return 1;
    }
    switch ((unsigned long)system.f_type) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
    case HUGETLBFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case SECURITYFS_MAGIC:
        return 0;
    default:
        return 1;
    }
}

ssize_t cbs_file_transfer(
    const cbs_hook_table *hooks, enum cbs_file_opcode opcode, int fd, cbs_parts *parts, int64_t offset, int flags) {
    int saved = errno;
    long number = opcode == CBS_FILE_READ ? SYS_preadv2 : SYS_pwritev2;
    ssize_t done = 0;
    for (;;) {
        cbs_parts_consume(parts, 0);
        if (parts->count == 0) {
            break;
        }
        // By system call: the offset is split over two arguments, the upper half of which 64-bit kernels ignore.
        long position = offset == -1 ? -1 : (long)offset + done;
        ssize_t count = syscall(number, fd, parts->first, parts->count, position, position, flags | RWF_NOWAIT);
        if (count > 0) {
            done += count;
            cbs_parts_consume(parts, (size_t)count);
            continue;
        }
        if (count == 0) {
            break;  // the end of the file
        }
        int error = errno;
        int is_unsupported = error == EOPNOTSUPP || error == ENOSYS || error == EINVAL;
        if (error == EAGAIN || is_unsupported) {
            cbs_file_operation operation = {
                .opcode = opcode, .fd = fd, .parts = parts->first, .count = (int)parts->count, .offset = position,
                .flags = flags};
            if (is_unsupported && !cbs_is_slow(fd)) {
                cbs_file_operation_run(&operation);
            } else {
                cbs_file(hooks, &operation);
            }
            if (operation.result >= 0) {
                done += operation.result;
                break;
            }
            error = (int)-operation.result;
        }
        if (done == 0) {
            errno = error;
            return -1;
        }
        break;
    }
    errno = saved;
    return done;
}

/// One buffer at `offset`. Not for a negative one, which the kernel's newer calls read as "the position".
static CBS_SLOW ssize_t cbs_transfer_one(
    const cbs_hook_table *hooks, enum cbs_file_opcode opcode, int fd, const void *buffer, size_t size, int64_t offset) {
    struct iovec part = {.iov_base = (void *)buffer, .iov_len = size};
    cbs_parts parts = {.first = &part, .count = 1};
    return cbs_file_transfer(hooks, opcode, fd, &parts, offset, 0);
}

static CBS_SLOW ssize_t cbs_transfer_many(
    const cbs_hook_table *hooks, enum cbs_file_opcode opcode, int fd, const struct iovec *parts, int count,
    int64_t offset, int flags) {
    cbs_parts copy;
    if (cbs_parts_copy(&copy, parts, (size_t)count) != 0) {
        errno = ENOMEM;
        return -1;
    }
    ssize_t result = cbs_file_transfer(hooks, opcode, fd, &copy, offset, flags);
    free(copy.allocation);
    return result;
}

/// Whether parts and offset are for the original alone: wrong, or without a byte.
static int cbs_is_trivial(const struct iovec *parts, int count, int64_t offset, int64_t least) {
    return count <= 0 || count > IOV_MAX || offset < least || cbs_parts_size(parts, (size_t)count) == 0;
}

// MARK: Shims

#define CBS_ONE(name, opcode, fd, buffer, size, offset)                          \
    do {                                                                         \
        const cbs_hook_table *hooks = cbs_current_hooks();                       \
        if (CBS_LIKELY(hooks == NULL) || (offset) < 0 || (size) == 0) {          \
            return CBS_REAL(name)(fd, buffer, size, offset);                     \
        }                                                                        \
        return cbs_transfer_one(hooks, opcode, fd, buffer, size, offset);        \
    } while (0)

ssize_t cbs_shim_pread(int fd, void *buffer, size_t size, off_t offset) {
    CBS_ONE(pread, CBS_FILE_READ, fd, buffer, size, offset);
}

ssize_t cbs_shim_pread64(int fd, void *buffer, size_t size, off_t offset) {
    CBS_ONE(pread64, CBS_FILE_READ, fd, buffer, size, offset);
}

ssize_t cbs_shim_pwrite(int fd, const void *buffer, size_t size, off_t offset) {
    CBS_ONE(pwrite, CBS_FILE_WRITE, fd, buffer, size, offset);
}

ssize_t cbs_shim_pwrite64(int fd, const void *buffer, size_t size, off_t offset) {
    CBS_ONE(pwrite64, CBS_FILE_WRITE, fd, buffer, size, offset);
}

#define CBS_ONE_CHECKED(name, fd, buffer, size, offset, capacity)                                   \
    do {                                                                                            \
        const cbs_hook_table *hooks = cbs_current_hooks();                                          \
        if (CBS_LIKELY(hooks == NULL) || (offset) < 0 || (size) == 0 || (size) > (capacity)) {      \
            return CBS_REAL(name)(fd, buffer, size, offset, capacity);                              \
        }                                                                                           \
        return cbs_transfer_one(hooks, CBS_FILE_READ, fd, buffer, size, offset);                    \
    } while (0)

ssize_t cbs_shim___pread_chk(int fd, void *buffer, size_t size, off_t offset, size_t capacity) {
    CBS_ONE_CHECKED(__pread_chk, fd, buffer, size, offset, capacity);
}

ssize_t cbs_shim___pread64_chk(int fd, void *buffer, size_t size, off_t offset, size_t capacity) {
    CBS_ONE_CHECKED(__pread64_chk, fd, buffer, size, offset, capacity);
}

#define CBS_MANY(name, opcode, fd, parts, count, offset)                                            \
    do {                                                                                            \
        const cbs_hook_table *hooks = cbs_current_hooks();                                          \
        if (CBS_LIKELY(hooks == NULL) || cbs_is_trivial(parts, count, offset, 0)) {                 \
            return CBS_REAL(name)(fd, parts, count, offset);                                        \
        }                                                                                           \
        return cbs_transfer_many(hooks, opcode, fd, parts, count, offset, 0);                       \
    } while (0)

ssize_t cbs_shim_preadv(int fd, const struct iovec *parts, int count, off_t offset) {
    CBS_MANY(preadv, CBS_FILE_READ, fd, parts, count, offset);
}

ssize_t cbs_shim_preadv64(int fd, const struct iovec *parts, int count, off_t offset) {
    CBS_MANY(preadv64, CBS_FILE_READ, fd, parts, count, offset);
}

ssize_t cbs_shim_pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    CBS_MANY(pwritev, CBS_FILE_WRITE, fd, parts, count, offset);
}

ssize_t cbs_shim_pwritev64(int fd, const struct iovec *parts, int count, off_t offset) {
    CBS_MANY(pwritev64, CBS_FILE_WRITE, fd, parts, count, offset);
}

/// With flags. At the position (offset −1) the file may be of any kind: then only without flags is it known what to do.
#define CBS_MANY_FLAGS(name, plain, opcode, fd, parts, count, offset, flags)                        \
    do {                                                                                            \
        const cbs_hook_table *hooks = cbs_current_hooks();                                          \
        if (CBS_LIKELY(hooks == NULL) || ((flags) & RWF_NOWAIT) != 0) {                             \
            return CBS_REAL(name)(fd, parts, count, offset, flags);                                 \
        }                                                                                           \
        if ((offset) == -1 && (flags) == 0) {                                                       \
            return plain(fd, parts, count);                                                         \
        }                                                                                           \
        if (cbs_is_trivial(parts, count, offset, -1)) {                                             \
            return CBS_REAL(name)(fd, parts, count, offset, flags);                                 \
        }                                                                                           \
        return cbs_transfer_many(hooks, opcode, fd, parts, count, offset, flags);                   \
    } while (0)

ssize_t cbs_shim_preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
    CBS_MANY_FLAGS(preadv2, cbs_shim_readv, CBS_FILE_READ, fd, parts, count, offset, flags);
}

ssize_t cbs_shim_preadv64v2(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
    CBS_MANY_FLAGS(preadv64v2, cbs_shim_readv, CBS_FILE_READ, fd, parts, count, offset, flags);
}

ssize_t cbs_shim_pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
    CBS_MANY_FLAGS(pwritev2, cbs_shim_writev, CBS_FILE_WRITE, fd, parts, count, offset, flags);
}

ssize_t cbs_shim_pwritev64v2(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
    CBS_MANY_FLAGS(pwritev64v2, cbs_shim_writev, CBS_FILE_WRITE, fd, parts, count, offset, flags);
}

/// Does an operation that answers 0.
static CBS_SLOW int cbs_file_act(const cbs_hook_table *hooks, cbs_file_operation operation) {
    int64_t result = cbs_file(hooks, &operation);
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return (int)result;
}

int cbs_shim_fsync(int fd) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(fsync)(fd);
    }
    return cbs_file_act(hooks, (cbs_file_operation){.opcode = CBS_FILE_SYNC, .fd = fd});
}

int cbs_shim_fdatasync(int fd) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(fdatasync)(fd);
    }
    return cbs_file_act(hooks, (cbs_file_operation){.opcode = CBS_FILE_SYNC_DATA, .fd = fd});
}

int cbs_shim_sync_file_range(int fd, off_t offset, off_t length, unsigned int flags) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(sync_file_range)(fd, offset, length, flags);
    }
    return cbs_file_act(
        hooks, (cbs_file_operation){
                   .opcode = CBS_FILE_SYNC_RANGE, .fd = fd, .offset = offset, .length = length, .flags = (int)flags});
}
