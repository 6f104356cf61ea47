// open, openat, creat: the path may lead over a slow disk, so they are done away from the loop; the descriptor always
// arrives, killed fiber or not.
//
// A FIFO is another matter: its open waits for somebody at the other end, for ever if need be, and must end when the
// fiber is killed. It is opened with O_NONBLOCK here and then waited for. To write: opening fails with ENXIO while there
// is no reader, so it is repeated. To read: opening succeeds at once, and a writer shows as data, as hang-up when it has
// gone again, or, when it has written nothing, in tee(2), which answers 0 without a writer and EAGAIN with one.
#define CBS_AREA CBS_AREA_file
#include "files.h"

#include <stdarg.h>

// MARK: FIFOs

/// Whether somebody has `fd`, an empty FIFO, open for writing.
static int cbs_has_writer(int fd, int scratch[2]) {
    if (scratch[0] < 0 && pipe2(scratch, O_CLOEXEC | O_NONBLOCK) != 0) {
        return 0;
    }
    return tee(fd, scratch[1], 1, SPLICE_F_NONBLOCK) != 0;
}

/// Opens a FIFO, parked until it has another end. Returns the descriptor or −errno.
static int cbs_open_fifo(const cbs_hook_table *hooks, int directory, const char *path, int flags, mode_t mode) {
    int is_writing = (flags & O_ACCMODE) == O_WRONLY;
    int scratch[2] = {-1, -1};
    int64_t nap = CBS_MILLISECOND;
    int fd = -1;
    int error = 0;
    while (error == 0) {
        if (fd < 0) {
            fd = CBS_REAL(openat)(directory, path, flags | O_NONBLOCK, mode);
            error = fd >= 0 || (errno == ENXIO && is_writing) ? 0 : errno;
        }
        struct pollfd one = {.fd = fd, .events = POLLIN};
        if (error != 0 || (fd >= 0 && (is_writing || CBS_REAL(poll)(&one, 1, 0) != 0 || cbs_has_writer(fd, scratch)))) {
            break;
        }
        int64_t end = cbs_deadline(nap);
        int result = fd >= 0 ? cbs_wait_fd(hooks, fd, POLLIN, end) : cbs_sleep_until(hooks, end);
        error = result < 0 ? -result : 0;
        nap = nap < 32 * CBS_MILLISECOND ? nap * 2 : nap;
    }
    if (scratch[0] >= 0) {
        CBS_REAL(close)(scratch[0]);
        CBS_REAL(close)(scratch[1]);
    }
    if (error == 0) {
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
        return fd;
    }
    if (fd >= 0) {
        cbs_will_close(hooks, fd);
        CBS_REAL(close)(fd);
    }
    return -error;
}

// MARK: Opening

/// Whether the path names a file of the kernel's own: no disk, and what /proc shows may be the calling thread's.
static int cbs_is_pseudo(const char *path) {
    return strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/sys/", 5) == 0;
}

static CBS_SLOW int cbs_open(const cbs_hook_table *hooks, int directory, const char *path, int flags, mode_t mode) {
    cbs_file_operation operation = {
        .opcode = CBS_FILE_OPEN, .fd = directory, .path = path, .flags = flags, .mode = mode};
    if (path == NULL || cbs_is_pseudo(path)) {
        cbs_file_operation_run(&operation);
    } else {
        cbs_file(hooks, &operation);
    }
    int saved = errno;
    int64_t result = operation.result;
    if (result == CBS_FILE_IS_FIFO) {
        result = cbs_open_fifo(hooks, directory, path, flags, mode);
    }
    errno = result < 0 ? (int)-result : saved;
    return result < 0 ? -1 : (int)result;
}

/// The mode after `flags`, which is there only when a file may be made.
#define CBS_MODE(flags)                                                                     \
    ({                                                                                      \
        mode_t mode_ = 0;                                                                   \
        if (((flags) & O_CREAT) != 0 || ((flags) & O_TMPFILE) == O_TMPFILE) {               \
            va_list list_;                                                                  \
            va_start(list_, flags);                                                         \
            mode_ = va_arg(list_, mode_t);                                                  \
            va_end(list_);                                                                  \
        }                                                                                   \
        mode_;                                                                              \
    })

// MARK: Shims

int cbs_shim_open(const char *path, int flags, ...) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    mode_t mode = CBS_MODE(flags);
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(open)(path, flags, mode) : cbs_open(hooks, AT_FDCWD, path, flags, mode);
}

int cbs_shim_open64(const char *path, int flags, ...) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    mode_t mode = CBS_MODE(flags);
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(open64)(path, flags, mode)
                                     : cbs_open(hooks, AT_FDCWD, path, flags, mode);
}

int cbs_shim_openat(int directory, const char *path, int flags, ...) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    mode_t mode = CBS_MODE(flags);
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(openat)(directory, path, flags, mode)
                                     : cbs_open(hooks, directory, path, flags, mode);
}

int cbs_shim_openat64(int directory, const char *path, int flags, ...) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    mode_t mode = CBS_MODE(flags);
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(openat64)(directory, path, flags, mode)
                                     : cbs_open(hooks, directory, path, flags, mode);
}

int cbs_shim_creat(const char *path, mode_t mode) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(creat)(path, mode)
                                     : cbs_open(hooks, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int cbs_shim_creat64(const char *path, mode_t mode) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(creat64)(path, mode)
                                     : cbs_open(hooks, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

// The checked forms have no mode; the originals end a process that would need one.

#define CBS_NEEDS_MODE(flags) (((flags) & O_CREAT) != 0 || ((flags) & O_TMPFILE) == O_TMPFILE)

int cbs_shim___open_2(const char *path, int flags) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) || CBS_NEEDS_MODE(flags) ? CBS_REAL(__open_2)(path, flags)
                                                              : cbs_open(hooks, AT_FDCWD, path, flags, 0);
}

int cbs_shim___open64_2(const char *path, int flags) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) || CBS_NEEDS_MODE(flags) ? CBS_REAL(__open64_2)(path, flags)
                                                              : cbs_open(hooks, AT_FDCWD, path, flags, 0);
}

int cbs_shim___openat_2(int directory, const char *path, int flags) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) || CBS_NEEDS_MODE(flags) ? CBS_REAL(__openat_2)(directory, path, flags)
                                                              : cbs_open(hooks, directory, path, flags, 0);
}

int cbs_shim___openat64_2(int directory, const char *path, int flags) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) || CBS_NEEDS_MODE(flags) ? CBS_REAL(__openat64_2)(directory, path, flags)
                                                              : cbs_open(hooks, directory, path, flags, 0);
}
