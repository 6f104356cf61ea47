// Interposition: linking this target into an executable defines libc's blocking entry points there, and the dynamic
// linker then binds every library of the process to them. table.h has the list.
//
// No linker flag is needed: a symbol that a shared library on the link line defines or uses (libc.so, libpq.so) is
// exported from an executable that defines it, and is a root of section garbage collection; ld, gold and lld agree.
//
//     libpq, libcurl, … --poll()--> our poll --+-- no fiber runs on this thread --> libc's poll
//                                              |
//                                              +-- on a fiber --> zero-timeout try, then park the fiber
//
// The thread-local pointer to the running fiber decides (CFibers.h). It is NULL for everything else: the loop, worker
// threads, the Swift runtime, the dynamic linker, signal handlers of other threads. They pay one thread-local read and
// one indirect call, and may call from wherever libc's own function may be called from. What closes descriptors reads
// another one, which says whether the thread has a reactor or hooks, and then tells them, off fibers, too (close.c).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "CFibers.h"

/// Immutable once made, so Swift may share it between threads.
#define CBS_SENDABLE __attribute__((swift_attr("@Sendable")))

/// Deadlines are absolute nanoseconds of CLOCK_MONOTONIC; this one never comes.
#define CBS_NEVER INT64_MAX

/// What can be asked of a file that a disk may keep waiting.
enum cbs_file_opcode {
    CBS_FILE_READ,        ///< `parts`, `count`, `offset`, `flags` as preadv2(2); offset −1 is the file's position
    CBS_FILE_WRITE,       ///< the same, as pwritev2(2)
    CBS_FILE_SYNC,        ///< fsync(2)
    CBS_FILE_SYNC_DATA,   ///< fdatasync(2)
    CBS_FILE_SYNC_RANGE,  ///< `offset`, `length`, `flags` as sync_file_range(2)
    CBS_FILE_OPEN,        ///< `fd`, `path`, `flags`, `mode` as openat(2)
};

/// The result of CBS_FILE_OPEN, with nothing opened, when that would wait for the other end of a FIFO.
#define CBS_FILE_IS_FIFO INT64_C(-1000000)

struct iovec;

/// One operation on a file. All that it points to is its caller's, who waits for `result`.
typedef struct cbs_file_operation {
    enum cbs_file_opcode opcode;  ///< what to do
    int fd;                       ///< the file; for an open the directory that `path` starts from
    const char *path;             ///< of an open
    const struct iovec *parts;    ///< where bytes go to or come from
    int count;                    ///< of `parts`
    int flags;                    ///< see the opcodes
    int64_t offset;               ///< first byte
    int64_t length;               ///< bytes
    unsigned int mode;            ///< permissions of a file that an open makes
    int64_t result;               ///< set when done: what the system call returned, or −errno
} cbs_file_operation;

/// Does `operation` by system calls on the calling thread, however long they take, and sets its result. Any thread.
void cbs_file_operation_run(cbs_file_operation *operation);

/// What fibers lock.
enum cbs_lock_type { CBS_NO_LOCK, CBS_MUTEX, CBS_READ_WRITE_LOCK };

/// The fiber of the calling thread that holds `lock`, a read-write lock for writing. NULL when nobody does, another thread does,
/// or it is not certain: code off fibers locked it, or readers did, or the fiber holds many locks.
cf_fiber *cbs_lock_holder(enum cbs_lock_type type, const void *lock);

/// The thread that holds `lock`, by its number; 0 when nobody does or nobody knows.
int cbs_lock_thread(enum cbs_lock_type type, const void *lock);

/// The same, but 0 when it is the calling one.
int cbs_other_lock_thread(enum cbs_lock_type type, const void *lock);

/// How a shim parks the fiber that called it.
///
/// A hook is called on the fiber, but where another place is named. It returns 0 (or what is said below) or −errno; the shim keeps errno for it. Once a fiber
/// has been killed every hook that parks must return −ECANCELED (−ETIMEDOUT when its time is over) at once, until the
/// fiber ends: C frames cannot be unwound, and code that was refused one call tries the next.
typedef struct CBS_SENDABLE cbs_hook_table {
    /// Parks until `fd` is ready for one of `events` (POLLIN, POLLOUT, or both) or `deadline` comes.
    /// Returns the ready ones of `events`, 0 at the deadline, or −errno. A reported readiness may be spurious.
    /// −EBUSY: this descriptor has a waiter already (the shim then waits on a private epoll instance);
    /// −EPERM: the file is always ready; −EBADF: it is not open, or was closed while it was waited for.
    int (*wait_fd)(int fd, int events, int64_t deadline);

    /// Parks until `deadline`. One that is past lets everything that is ready run once.
    int (*sleep_until)(int64_t deadline);

    /// Runs `work(argument)` on a worker thread and parks until it is done. Calls `release(argument)` exactly once, on any
    /// thread: after `work`, or when it will never run. May return −errno early, while `work` still runs.
    int (*offload)(void (*work)(void *), void (*release)(void *), void *argument);

    /// Says that the descriptors from `first` to `last` are about to be closed; wakes who waits for one. Never parks. On a
    /// fiber, or off fibers on a thread that runs a reactor.
    void (*will_close)(int first, int last);

    // A wait that another fiber or thread ends: for a mutex, a condition. It has two owners, who waits and who wakes, and
    // ends when both are done with it.

    /// Makes a wait with two owners; NULL when there is no memory. `lock` is what it is for, a lock of that kind, or NULL
    /// for what is no lock; it is there until the waiting fiber goes on.
    void *(*wait_begin)(enum cbs_lock_type type, const void *lock);

    /// Parks until `wait_wake` was called, perhaps before, or `deadline` comes. At most once for each wait.
    /// Returns 1 when woken, 0 at the deadline, or −errno. When `is_killable` is 0 a kill neither ends the park nor
    /// prevents it: the caller will not understand that it did not get what it waited for.
    int (*wait_park)(void *wait, int64_t deadline, int is_killable);

    /// Wakes who parks; the waker's ownership is over. Any thread, on or off a fiber, no signal handler. Never parks.
    void (*wait_wake)(void *wait);

    /// Ends an ownership. Any thread.
    void (*wait_end)(void *wait);

    /// Does `operation`, on another thread or by the kernel's own means, and parks until its result is set. Never returns
    /// earlier: the operation uses its caller's memory. So a kill does not end the wait, and neither does an earlier one
    /// keep the operation from being done. Not 0 when it could not be begun; the shim then runs it itself.
    int (*perform)(cbs_file_operation *operation);
} cbs_hook_table;

/// The hooks of all fibers of the process, defined by who drives them (`BlockingShims`). Called once, by the first shim on a
/// fiber, so that linking is installing and nothing runs before main. Without a definition every shim passes through.
const cbs_hook_table *cbs_default_hooks(void) __attribute__((weak));

/// Whether there are hooks for the calling thread's fibers.
int cbs_has_hooks(void);

/// Whether the calling code's waits park: a fiber runs it, not in a task of its own, and there are hooks.
int cbs_is_parking(void);

/// Sets other hooks for the fibers of the calling thread, NULL to end that. For tests of this layer alone, and for a
/// thread whose fibers another scheduler drives.
void cbs_set_thread_hooks(const cbs_hook_table *hooks);

/// The parts of libc, as the table's rows name them. Each can be switched off: its shims pass through then, on fibers, too.
enum cbs_area {
    CBS_AREA_timer,
    CBS_AREA_poll,
    CBS_AREA_socket,
    CBS_AREA_io,
    CBS_AREA_name,
    CBS_AREA_thread,
    CBS_AREA_process,
    CBS_AREA_lock,
    CBS_AREA_stdio,
    CBS_AREA_file,
    CBS_AREA_COUNT
};

#define CBS_ALL_AREAS ((UINT32_C(1) << CBS_AREA_COUNT) - 1)

/// The areas whose shims park, a bit for each; all of them at first. Any thread.
uint32_t cbs_active_areas(void);

/// Sets the areas whose shims park from the next call on. Any thread.
void cbs_set_active_areas(uint32_t areas);

/// The same, for `cbs_default_hooks` alone: what is active at first.
void cbs_start_areas(uint32_t areas);

/// One interposed function.
typedef struct CBS_SENDABLE cbs_shim {
    const char *name;       ///< symbol, as in `nm -D`
    const char *area;       ///< the part of libc it belongs to, a name of `cbs_area`
    const char *behaviour;  ///< what it does on a fiber, one sentence
    void *replacement;      ///< address of our function
} cbs_shim;

/// How many functions are interposed.
size_t cbs_shim_count(void);

/// The `index`-th interposed function.
const cbs_shim *cbs_shim_at(size_t index);

/// libc's own function behind the `index`-th shim, or NULL when this libc has none.
void *cbs_original_at(size_t index);
