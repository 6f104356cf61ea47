#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>

static int64_t perform_once(const clinux_file_operation *operation) {
    int fd = operation->fd;
    int at_position = operation->offset == -1;
    switch (operation->code) {
    case CLINUX_FILE_OPEN:
        return openat(fd, (const char *)operation->address, operation->flags, operation->mode);
    case CLINUX_FILE_READ:
        return at_position ? read(fd, operation->address, operation->length)
                           : pread(fd, operation->address, operation->length, operation->offset);
    case CLINUX_FILE_WRITE:
        return at_position ? write(fd, operation->address, operation->length)
                           : pwrite(fd, operation->address, operation->length, operation->offset);
    case CLINUX_FILE_SYNC:
        return fsync(fd);
    case CLINUX_FILE_SYNC_DATA:
        return fdatasync(fd);
    case CLINUX_FILE_CLOSE: {
        int result = close(fd);
        // Interrupted or not, Linux has closed it: a second attempt would close somebody else's.
        return result < 0 && errno == EINTR ? 0 : result;
    }
    default:
        errno = EINVAL;
        return -1;
    }
}

int64_t clinux_file_perform(const clinux_file_operation *operation) {
    int64_t result;
    do {
        result = perform_once(operation);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -(int64_t)errno : result;
}
