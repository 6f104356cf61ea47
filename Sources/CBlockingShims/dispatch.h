// What every shim is written with: its declaration under libc's name, the way to libc's original, and the parks.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#undef _FORTIFY_SOURCE  // its inline wrappers would redefine the very functions defined here

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "CFibers.h"
#include "CLinux.h"
#include "include/CBlockingShims.h"
#include "table.h"

#define CBS_LIKELY(condition) __builtin_expect(!!(condition), 1)

/// The way of a call on a fiber, kept out of the shim so that the pass-through needs no stack frame of its own.
#define CBS_SLOW __attribute__((noinline))

/// For what a shim calls before it passes a call on: the callee saves every register it uses, also those of the shim's
/// arguments, so that a pass-through that does not come to it saves none.
#define CBS_SAVES_REGISTERS __attribute__((visibility("hidden"), preserve_most))

// MARK: Hooks

/// The hooks for the code that runs now; the fiber is known to be there. NULL for code that runs on the fiber's stack in a
/// Swift task of its own, as a callback with task-local values does: it cannot park.
CBS_SAVES_REGISTERS const cbs_hook_table *cbs_hooks_of_fiber(void);

/// The same for any code on the fiber: for what does not park, and for locks, which remember their fiber.
CBS_SAVES_REGISTERS const cbs_hook_table *cbs_hooks_of_stack(void);

/// Areas whose shims pass through: a bit for each CBS_AREA_….
extern uint32_t cbs_inactive_areas __attribute__((visibility("hidden")));

/// The hooks for a call of `area`, or NULL where it passes through. Off fibers one thread-local read, the whole cost of a
/// shim there; whether the area is switched on is asked on a fiber only.
static inline const cbs_hook_table *cbs_hooks_for(int area) {
    if (CBS_LIKELY(cf_fiber_current() == NULL)) {
        return NULL;
    }
    const cbs_hook_table *hooks = cbs_hooks_of_fiber();  // first: making them reads what the environment switches off
    return __atomic_load_n(&cbs_inactive_areas, __ATOMIC_RELAXED) >> area & 1 ? NULL : hooks;
}

/// The same for any code on the fiber; see `cbs_hooks_of_stack`.
static inline const cbs_hook_table *cbs_stack_hooks_for(int area) {
    if (CBS_LIKELY(cf_fiber_current() == NULL)) {
        return NULL;
    }
    const cbs_hook_table *hooks = cbs_hooks_of_stack();  // as above
    return __atomic_load_n(&cbs_inactive_areas, __ATOMIC_RELAXED) >> area & 1 ? NULL : hooks;
}

/// The same for the calls of this file, which says `#define CBS_AREA CBS_AREA_…`.
#define cbs_current_hooks() cbs_hooks_for(CBS_AREA)

/// Whether a cork on `fd` counts: not where sockets' shims are switched off, nor on what is no descriptor.
CBS_SAVES_REGISTERS int cbs_heeds_cork(int fd);

/// Whether `fd` is to say EAGAIN; see `clinux_cork`. One thread-local read for all others.
static inline int cbs_is_corked(int fd) {
    return __builtin_expect(clinux_corked_descriptor == fd, 0) && cbs_heeds_cork(fd);
}

/// What a call on a corked socket says.
static CBS_SLOW __attribute__((unused)) ssize_t cbs_try_again(void) {
    errno = EAGAIN;
    return -1;
}

// MARK: The shims, as C identifiers cbs_shim_NAME with libc's symbol
//
// The assembler label gives the symbol. Defining `connect` by its C name would have to repeat each header's own
// spelling (transparent unions, noexcept, nonnull), which differs between libcs.

#define CBS_DECLARE(name, area, result, parameters, behaviour) \
    __attribute__((visibility("default"))) result cbs_shim_##name parameters __asm__(#name);
CBS_SHIMS(CBS_DECLARE)
#undef CBS_DECLARE

// MARK: libc's originals

#define CBS_INDEX(name, area, result, parameters, behaviour) CBS_INDEX_##name,
enum { CBS_SHIMS(CBS_INDEX) CBS_COUNT };
#undef CBS_INDEX

/// Pointers to libc's functions; NULL until first needed. Written with the one value each can have, by whoever is first.
struct cbs_originals {
#define CBS_FIELD(name, area, result, parameters, behaviour) result(*name) parameters;
    CBS_SHIMS(CBS_FIELD)
#undef CBS_FIELD
};
extern struct cbs_originals cbs_originals __attribute__((visibility("hidden")));

/// Finds libc's function behind a shim and remembers it. Every original is found by a constructor before main; only
/// callers that run before that constructor come here later.
CBS_SAVES_REGISTERS __attribute__((cold)) void *cbs_resolve(int index);

/// libc's own function.
#define CBS_REAL(name)                                                                        \
    ({                                                                                        \
        __typeof__(cbs_originals.name) original_ =                                            \
            __atomic_load_n(&cbs_originals.name, __ATOMIC_RELAXED);                           \
        CBS_LIKELY(original_ != NULL) ? original_                                             \
                                      : (__typeof__(original_))cbs_resolve(CBS_INDEX_##name); \
    })

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

// MARK: Parks (park.c). All return 0 or as said, or −errno, and keep errno.

/// Parks until `fd` is ready for `events` (POLLIN, POLLOUT). Returns the ready ones, 0 at the deadline, or −errno.
__attribute__((visibility("hidden"))) int cbs_wait_fd(
    const cbs_hook_table *hooks, int fd, int events, int64_t deadline);

/// Parks until `deadline`; a past one yields.
__attribute__((visibility("hidden"))) int cbs_sleep_until(const cbs_hook_table *hooks, int64_t deadline);

/// Runs `work` on a worker thread. `release` is called exactly once, also when this fails.
__attribute__((visibility("hidden"))) int cbs_offload(
    const cbs_hook_table *hooks, void (*work)(void *), void (*release)(void *), void *argument);

/// As `cbs_sleep_until`, for one who is going to ask for `fd` again: −EBADF when it was closed meanwhile, since the number may
/// mean another file by then.
__attribute__((visibility("hidden"))) int cbs_sleep_for(const cbs_hook_table *hooks, int fd, int64_t deadline);

/// Tells all who wait for descriptors from `first` to `last`, by themselves or among others (sets.c), that they are about to
/// be closed.
__attribute__((visibility("hidden"))) void cbs_will_close_range(const cbs_hook_table *hooks, int first, int last);

static inline void cbs_will_close(const cbs_hook_table *hooks, int fd) { cbs_will_close_range(hooks, fd, fd); }

/// The same for a thread that has somebody to be told: on a fiber, or elsewhere on a reactor's thread.
CBS_SAVES_REGISTERS void cbs_hear_close(int area, int first, int last);

/// Called before `fd` is closed by a call of `area`, on a fiber or not. One thread-local read on threads without a reactor.
static inline void cbs_closing(int area, int fd) {
    if (!CBS_LIKELY(clinux_close_listeners == 0)) {
        cbs_hear_close(area, fd, fd);
    }
}

/// A wait that another fiber or thread ends; as the hooks of the same names. NULL when there is no memory.
__attribute__((visibility("hidden"))) void *cbs_wait_begin(
    const cbs_hook_table *hooks, enum cbs_lock_type type, const void *lock);
__attribute__((visibility("hidden"))) int cbs_wait_park(
    const cbs_hook_table *hooks, void *wait, int64_t deadline, int is_killable);
__attribute__((visibility("hidden"))) void cbs_wait_end(const cbs_hook_table *hooks, void *wait);

/// poll(2) on a fiber, shared by poll, ppoll and select's conversion. Returns poll's result with errno set.
__attribute__((visibility("hidden"))) int cbs_poll(
    const cbs_hook_table *hooks, struct pollfd *fds, nfds_t count, int64_t deadline, const sigset_t *mask);

/// The patience of one blocking call: how long it may wait, learnt when it first would have to.
typedef struct cbs_patience {
    int option;        ///< SO_RCVTIMEO or SO_SNDTIMEO; 0 for a file that is no socket
    int is_known;      ///< the fields below are filled
    int is_blocking;   ///< the descriptor is in blocking mode
    int misses;        ///< waits that said "ready" while the call still would block
    int64_t deadline;  ///< end of the socket's own time-out
} cbs_patience;

#define CBS_PATIENCE(socket_option) {.option = (socket_option)}

/// Whether `fd` is in blocking mode; fills `patience`.
__attribute__((visibility("hidden"))) int cbs_is_blocking(int fd, cbs_patience *patience);

/// Parks after an attempt that would block. Returns 0 to try again, or −errno: −EAGAIN for an O_NONBLOCK descriptor
/// and at the end of the socket's time-out, −ECANCELED or −ETIMEDOUT for an ended fiber.
__attribute__((visibility("hidden"))) int cbs_await(
    const cbs_hook_table *hooks, int fd, int events, cbs_patience *patience);

// MARK: recv and send on a fiber (receive.c, send.c), shared with read and write

__attribute__((visibility("hidden"))) ssize_t cbs_receive(
    const cbs_hook_table *hooks, int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
    socklen_t *length);
__attribute__((visibility("hidden"))) ssize_t cbs_receive_message(
    const cbs_hook_table *hooks, int fd, struct msghdr *message, int flags);
__attribute__((visibility("hidden"))) ssize_t cbs_send(
    const cbs_hook_table *hooks, int fd, const void *buffer, size_t size, int flags, const struct sockaddr *address,
    socklen_t length);
__attribute__((visibility("hidden"))) ssize_t cbs_send_message(
    const cbs_hook_table *hooks, int fd, const struct msghdr *message, int flags);

// MARK: read and write on a fiber (io.c), shared with stdio

/// What a descriptor is, as far as waiting for it goes.
enum cbs_kind {
    CBS_PASS_THROUGH,  ///< never waits, or must not: a directory, O_NONBLOCK, not open
    CBS_FILE,          ///< regular, or a block device
    CBS_SOCKET,
    CBS_PIPE,
    CBS_TERMINAL,
    CBS_OTHER,  ///< eventfd, timerfd, inotify, a character device, …
};

/// Fills `patience`, but for sockets.
__attribute__((visibility("hidden"))) enum cbs_kind cbs_kind_of(int fd, cbs_patience *patience);

__attribute__((visibility("hidden"))) ssize_t cbs_read(
    const cbs_hook_table *hooks, int fd, void *buffer, size_t size);
__attribute__((visibility("hidden"))) ssize_t cbs_write(
    const cbs_hook_table *hooks, int fd, const void *buffer, size_t size);

// MARK: Time

#define CBS_SECOND INT64_C(1000000000)
#define CBS_MILLISECOND INT64_C(1000000)

static inline int64_t cbs_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * CBS_SECOND + now.tv_nsec;
}

/// Nanoseconds in a non-negative `seconds` and `nanoseconds`, at most CBS_NEVER.
static inline int64_t cbs_nanoseconds(int64_t seconds, int64_t nanoseconds) {
    int64_t sum;
    if (__builtin_mul_overflow(seconds, CBS_SECOND, &sum) || __builtin_add_overflow(sum, nanoseconds, &sum)) {
        return CBS_NEVER;
    }
    return sum;
}

/// `duration` from now, at most CBS_NEVER.
static inline int64_t cbs_deadline(int64_t duration) {
    int64_t sum;
    return __builtin_add_overflow(cbs_now(), duration, &sum) ? CBS_NEVER : sum;
}

static inline int cbs_is_valid(const struct timespec *time) {
    return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < CBS_SECOND;
}

// MARK: Parts of a message

/// A copy of an iovec array that is consumed as bytes go; on the heap, because a fiber's stack is small.
typedef struct cbs_parts {
    struct iovec *allocation;  ///< what to free
    struct iovec *first;       ///< the first part that is not consumed
    size_t count;              ///< parts left
} cbs_parts;

static inline size_t cbs_parts_size(const struct iovec *parts, size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += parts[i].iov_len;
    }
    return size;
}

/// Copies `parts`. Returns 0 or −ENOMEM.
static inline int cbs_parts_copy(cbs_parts *copy, const struct iovec *parts, size_t count) {
    copy->allocation = malloc(count * sizeof *parts + 1);
    if (copy->allocation == NULL) {
        return -ENOMEM;
    }
    memcpy(copy->allocation, parts, count * sizeof *parts);
    copy->first = copy->allocation;
    copy->count = count;
    return 0;
}

static inline void cbs_parts_consume(cbs_parts *parts, size_t bytes) {
    while (parts->count > 0 && bytes >= parts->first->iov_len) {
        bytes -= parts->first->iov_len;
        parts->first++;
        parts->count--;
    }
    if (bytes > 0) {
        parts->first->iov_base = (char *)parts->first->iov_base + bytes;
        parts->first->iov_len -= bytes;
    }
}
