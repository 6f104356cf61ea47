#include "CLinux.h"

#include <errno.h>
#include <stddef.h>

enum { CLINUX_EVENTS_PER_WAIT = 256 };

int clinux_epoll_ctl(int epoll_fd, int operation, int fd, uint32_t events, uint32_t generation) {
    struct epoll_event event = {
        .events = events,
        .data.u64 = ((uint64_t)generation << 32) | (uint32_t)fd,
    };
    return epoll_ctl(epoll_fd, operation, fd, &event) == 0 ? 0 : -errno;
}

int clinux_epoll_wait(int epoll_fd, clinux_event *events, int capacity, int64_t timeout_ns) {
    struct epoll_event raw[CLINUX_EVENTS_PER_WAIT];
    if (capacity > CLINUX_EVENTS_PER_WAIT) {
        capacity = CLINUX_EVENTS_PER_WAIT;
    }
    int count;
    // Raw system calls, so that the loop's own wait never meets a patched epoll_wait.
#ifdef SYS_epoll_pwait2
    struct timespec timeout = {
        .tv_sec = timeout_ns / 1000000000,
        .tv_nsec = timeout_ns % 1000000000,
    };
    count = (int)syscall(
        SYS_epoll_pwait2, epoll_fd, raw, capacity, timeout_ns < 0 ? NULL : &timeout, NULL, (size_t)0);
    if (count < 0 && errno == ENOSYS)
#endif
    {
        int64_t milliseconds = timeout_ns < 0 ? -1 : (timeout_ns + 999999) / 1000000;
        if (milliseconds > INT32_MAX) {
            milliseconds = INT32_MAX;
        }
        count = (int)syscall(
            SYS_epoll_pwait, epoll_fd, raw, capacity, (int)milliseconds, NULL, (size_t)8);
    }
    if (count < 0) {
        return -errno;
    }
    for (int i = 0; i < count; i++) {
        events[i].events = raw[i].events;
        events[i].generation = (uint32_t)(raw[i].data.u64 >> 32);
        events[i].fd = (int32_t)(uint32_t)raw[i].data.u64;
    }
    return count;
}
