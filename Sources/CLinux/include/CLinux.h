// Linux headers and the few macros and thread-locals that Swift cannot import by itself.
#pragma once

#include "clinux_link.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "process.h"
#include "sampling.h"

// Thread-locals here lie in the block that a thread has from its start. Under any other model each read is compiled as a call,
// and saves registers for it, even where the linker takes the call out.
#define CLINUX_THREAD_LOCAL __attribute__((tls_model("initial-exec")))

/// What a reactor thread is running: the `Reactor` object, or NULL on every other thread.
extern __thread void *clinux_thread_reactor CLINUX_THREAD_LOCAL;

/// Who wants to hear of descriptors that this thread closes; 0 on nearly every thread. CBlockingShims reads it, whose
/// close(2) is everybody's.
extern __thread unsigned clinux_close_listeners CLINUX_THREAD_LOCAL;
enum { CLINUX_REACTOR_LISTENS = 1, CLINUX_HOOKS_LISTEN = 2 };

static inline void clinux_listen_to_closes(unsigned listener, int listens) {
    clinux_close_listeners = (clinux_close_listeners & ~listener) | (listens ? listener : 0);
}

static inline void *clinux_get_thread_reactor(void) { return clinux_thread_reactor; }
static inline void clinux_set_thread_reactor(void *reactor) {
    clinux_thread_reactor = reactor;
    clinux_listen_to_closes(CLINUX_REACTOR_LISTENS, reactor != NULL);
}

/// What is being freed on this thread, step by step: a queue of ReactorCore, or NULL when nothing is.
extern __thread void *clinux_thread_graveyard CLINUX_THREAD_LOCAL;

static inline void *clinux_get_thread_graveyard(void) { return clinux_thread_graveyard; }
static inline void clinux_set_thread_graveyard(void *graveyard) { clinux_thread_graveyard = graveyard; }

/// The task whose code this thread runs, as the Swift runtime knows it, or NULL: what `withUnsafeCurrentTask` gives,
/// without its reference counting.
extern void *swift_task_getCurrent(void);

/// Where this thread keeps its current task: the word that swift_task_getCurrent reads. NULL until
/// `clinux_find_current_task_word` has found it.
extern __thread void **clinux_current_task_word CLINUX_THREAD_LOCAL;

static inline void *clinux_current_task(void) {
    return clinux_current_task_word != NULL ? *clinux_current_task_word : swift_task_getCurrent();
}

/// Finds that word, by experiment, when a task is current. The runtime sets it whenever it runs a step of a task, and has no
/// entry point for others to do so.
void clinux_find_current_task_word(void);
static inline int clinux_can_set_current_task(void) { return clinux_current_task_word != NULL; }

/// Makes `task` the current task of this thread, whose word must have been found; returns the one before.
static inline void *clinux_set_current_task(void *task) {
    void *before = *clinux_current_task_word;
    *clinux_current_task_word = task;
    return before;
}

/// The runtime keeps a list per thread of the accesses to variables that are under way. Code on a stack of its own has its own
/// part of it, `state`, two words that begin as zeros: put in front of the thread's list while the code runs, and taken out
/// when it parks. These entry points are what tasks use when they are resumed and suspended.
extern void swift_task_enterThreadLocalContext(char *state);
extern void swift_task_exitThreadLocalContext(char *state);

/// Code on a stack of its own, as the queue of a loop holds it when it is to go on.
typedef struct clinux_resumable {
    void *task;             ///< the Swift task that it is part of
    void *owner;            ///< who goes on with it, until it parks again or has ended
    uintptr_t accesses[2];  ///< to variables, that the parked code is in the middle of: its part of the thread's list
} clinux_resumable;

/// The address of a stored property, without a closure to be called with it.
static inline clinux_resumable *clinux_address_of_resumable(clinux_resumable *code) { return code; }

/// Called right before and right after the code goes on.
static inline void clinux_resuming(clinux_resumable *code) {
    swift_task_enterThreadLocalContext((char *)code->accesses);
}
static inline void clinux_resumer_is_back(clinux_resumable *code) {
    swift_task_exitThreadLocalContext((char *)code->accesses);
}

/// Where in a task the list of its task-local values begins: a byte offset that ReactorCore finds by experiment, or 0.
extern size_t clinux_task_locals_offset;
/// The key of a task-local value that does not count, or NULL.
extern const void *clinux_ignored_task_local;

static inline void clinux_set_task_locals_offset(size_t offset) { clinux_task_locals_offset = offset; }
static inline void clinux_ignore_task_local(const void *key) { clinux_ignored_task_local = key; }

/// An item of such a list, as far as we look. Links carry what they lead to in their two low bits.
typedef struct clinux_task_local {
    uintptr_t next;   ///< link to the item bound before
    const void *key;  ///< the TaskLocal object, or NULL for a mark between a task's own items and its parent's
} clinux_task_local;

/// Whether the running code has task-local values bound, as far as can be told: 1 when it cannot.
static inline int clinux_task_locals_bound(void) {
    const char *task = (const char *)clinux_current_task();
    if (task == NULL || clinux_task_locals_offset == 0) {
        return 1;
    }
    uintptr_t head = *(const uintptr_t *)(task + clinux_task_locals_offset);
    if (head == 0) {
        return 0;
    }
    const clinux_task_local *item = (const clinux_task_local *)(head & ~(uintptr_t)3);
    return item->key != clinux_ignored_task_local || (item->next & ~(uintptr_t)3) != 0;
}

/// What `withTaskCancellationHandler` compiles to, without the closures around the wait, each of which is an `async`
/// function: `clinux_on_cancel(context)` is called when the current task is cancelled, at once if it has been, from any
/// thread, until the handler is removed. Handlers are removed in the reverse order, in the function that added them, and
/// nothing else may be allocated on the task in between (a call of an `async` function that has returned is no matter).
/// These entry points are part of every client of Swift's concurrency library, so of its ABI.
void *clinux_add_cancellation_handler(void *context);
void clinux_remove_cancellation_handler(void *handler);
extern void (*clinux_on_cancel)(void *context);
static inline void clinux_set_on_cancel(void (*on_cancel)(void *context)) { clinux_on_cancel = on_cancel; }

/// What `TaskLocal.withValue` compiles to, without its closure, which in `async` code is a function more, and without its look
/// for a task group that is being filled: binds the value at `value`, of the Swift type `type`, in the current task, and takes
/// it over. `key` is the TaskLocal object. Values are unbound in the reverse order, in the function that bound them, as
/// cancellation handlers are removed.
void clinux_bind_task_local(const void *key, void *value, const void *type);
void clinux_unbind_task_local(void);

/// Nanoseconds of CLOCK_MONOTONIC. 64 bits of them last 292 years from boot.
static inline int64_t clinux_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/// Nanoseconds as the kernel takes them. Swift sees the fields in some builds only: other modules' headers define them, too.
static inline struct timespec clinux_timespec(int64_t nanoseconds) {
    return (struct timespec){.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
}

/// The kernel's number of the calling thread: gettid(2), which glibc has since 2.30 only.
static inline int32_t clinux_thread_id(void) { return (int32_t)syscall(SYS_gettid); }

/// A time of the kernel in nanoseconds. Not read in Swift, where the fields of `timespec` come from whichever module the
/// compiler has met first.
static inline int64_t clinux_nanoseconds(struct timespec time) {
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/// Where the caller's part of the stack lies. Address Sanitizer keeps locals elsewhere; this it cannot move.
static inline uintptr_t clinux_stack_address(void) { return (uintptr_t)__builtin_frame_address(0); }

/// Nanoseconds of processor time that the calling thread has used.
static inline int64_t clinux_thread_cpu_ns(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/// One readiness event, unpacked: `struct epoll_event` is a packed struct holding a union.
typedef struct clinux_event {
    uint32_t events;      ///< EPOLLIN | EPOLLOUT | …
    uint32_t generation;  ///< which registration of this descriptor number reported it
    int32_t fd;           ///< descriptor number
} clinux_event;

/// epoll_ctl(2) with descriptor and generation as user data. Returns 0 or −errno.
int clinux_epoll_ctl(int epoll_fd, int operation, int fd, uint32_t events, uint32_t generation);

/// Waits at most `timeout_ns` (negative: for ever) and fills `events`. Returns their count or −errno.
/// Nanosecond time-outs where the kernel has epoll_pwait2(2) (5.11); otherwise rounded *up* to milliseconds,
/// because a loop that wakes before its timer is due spins until it is.
int clinux_epoll_wait(int epoll_fd, clinux_event *events, int capacity, int64_t timeout_ns);

/// An instance of io_uring(7): two queues in memory shared with the kernel, written without a library. One thread at a
/// time.
///
/// ```
///   queues ──► ┌ submission head, tail, mask, … ┐   the kernel moves the head, we move the tail
///              │ array: place → entry           │   filled once: place i means entry i
///              │ completion head, tail, mask, … │   the kernel moves the tail, we move the head
///              └ completions[ ] of 16 bytes     ┘
///   entries ─► submissions[ ] of 64 bytes           written before the tail moves past them
/// ```
/// Head and tail count for ever and wrap at 2³²; `& mask` makes a place of them. Each is stored with release and read
/// with acquire by the other side.
typedef struct clinux_ring {
    int fd;                  ///< the instance, readable while there are completions; −1 after clinux_ring_term
    int skips_success;       ///< the kernel can leave out the completion of a poll's end (5.17)
    void *queues;            ///< the mapping of both queues
    size_t queue_bytes;      ///< its length
    void *entries;           ///< the mapping of the submissions
    size_t entry_bytes;      ///< its length
    uint32_t *sq_head;       ///< first submission the kernel has not taken
    uint32_t *sq_tail;       ///< behind the last one it may take
    const uint32_t *sq_flags; ///< what the kernel has to say, such as that completions found their queue full
    uint32_t sq_mask;        ///< sq_count − 1
    uint32_t sq_count;       ///< a power of two
    uint32_t tail;           ///< behind the last one written; becomes *sq_tail when the kernel is entered
    uint32_t cq_mask;        ///< places of the completion queue − 1
    uint32_t *cq_head;       ///< first completion not yet read
    uint32_t *cq_tail;       ///< behind the last one
    const void *completions; ///< the completions, within `queues`
} clinux_ring;

/// What became of a submission.
typedef struct clinux_completion {
    uint64_t user_data;  ///< that of the submission
    int32_t result;      ///< what the system call would return, or −errno
    int32_t goes_on;     ///< 1 when the submission will complete again
} clinux_completion;

/// The user data of completions that mean nothing.
static const uint64_t CLINUX_RING_IGNORED = ~(uint64_t)0;

/// io_uring_setup(2) and its mappings. Returns 0 or −errno: −ENOSYS without io_uring, −EPERM where it is forbidden
/// (kernel.io_uring_disabled, a seccomp filter), −EOPNOTSUPP before Linux 5.13.
int clinux_ring_init(clinux_ring *ring, unsigned submissions, unsigned completions);

/// Unmaps and closes it. What is still pending is cancelled by the kernel some time later.
void clinux_ring_term(clinux_ring *ring);

/// Writes a submission that completes at once. Returns 0 or −EBUSY, as the next.
int clinux_ring_nop(clinux_ring *ring, uint64_t user_data);

/// Writes a submission that completes when `fd` is ready for `events` (POLLIN…), or hung up or broken: once, or each
/// time that something happens. Returns 0, or −EBUSY when the queue is full: enter first.
int clinux_ring_poll(clinux_ring *ring, int fd, uint32_t events, int repeats, uint64_t user_data);

/// Writes a submission that ends another's poll. The poll completes with −ECANCELED, unless it has already. Returns 0
/// or −EBUSY.
int clinux_ring_end_poll(clinux_ring *ring, uint64_t user_data);

/// Ends, at once, the poll of that user data if it waits for the very file that `fd` means now; it completes with −ECANCELED.
/// Returns 1, or 0 when the poll has completed or is of another file; or −errno: −EBADF when `fd` is not open, −EALREADY when
/// the poll is just completing, −EINVAL when the kernel cannot tell (before 6.0).
int clinux_ring_end_poll_of(clinux_ring *ring, uint64_t user_data, int fd);

/// One call about a file, for a worker thread or for a ring.
typedef struct clinux_file_operation {
    int32_t code;     ///< one of clinux_file_code
    int32_t fd;       ///< the file; of an open the directory that a relative path starts from
    void *address;    ///< the bytes; of an open the path, ended by a zero
    uint64_t length;  ///< of the bytes; the kernel takes 2³¹ − 4096 of them at most
    int64_t offset;   ///< where in the file; −1 for its current position, which then moves
    int32_t flags;    ///< of an open, as open(2)
    uint32_t mode;    ///< of an open, as open(2)
} clinux_file_operation;

enum clinux_file_code {
    CLINUX_FILE_OPEN = 1,
    CLINUX_FILE_READ = 2,
    CLINUX_FILE_WRITE = 3,
    CLINUX_FILE_SYNC = 4,       ///< fsync(2)
    CLINUX_FILE_SYNC_DATA = 5,  ///< fdatasync(2)
    CLINUX_FILE_CLOSE = 6,
};

/// Does it, blocking the calling thread. Returns what the call returns, or −errno; never −EINTR.
int64_t clinux_file_perform(const clinux_file_operation *operation);

/// Writes a submission that does it. `on_worker`: not even its first, non-blocking attempt is made by the calling
/// thread. Returns 0, −EBUSY, or −EINVAL for a code that is none.
int clinux_ring_file(
    clinux_ring *ring, const clinux_file_operation *operation, int on_worker, uint64_t user_data);

/// Takes back what the kernel has not taken.
void clinux_ring_withdraw(clinux_ring *ring);

/// How many submissions the kernel has not taken yet.
unsigned clinux_ring_unsubmitted(const clinux_ring *ring);

/// Whether clinux_ring_next would find something.
int clinux_ring_has_completions(const clinux_ring *ring);

/// io_uring_enter(2): hands over what was written, then waits for `minimum` completions for at most `timeout_ns`
/// (negative: for ever). Returns how many submissions were taken, or −errno: −ETIME and −EINTR when none was.
int clinux_ring_enter(clinux_ring *ring, unsigned minimum, int64_t timeout_ns);

/// Takes the oldest completion. Returns 1, or 0 when there is none.
int clinux_ring_next(clinux_ring *ring, clinux_completion *completion);

/// How many forks lie between the process that the program was started as and this one. Changes in the child alone,
/// before fork(2) returns there.
extern unsigned int clinux_forks;
static inline unsigned int clinux_fork_count(void) { return clinux_forks; }

/// What is done in the child of a fork. fork(2) does it; whoever has a child from _Fork(3) calls it there, first of all.
void clinux_forked(void);

struct clinux_poller;

/// Remembers a loop's epoll instance and eventfd: in the child of a fork both numbers get fresh ones, since the parent's
/// are shared with it, and no thread there runs a reactor. NULL, and nothing remembered, without memory.
struct clinux_poller *clinux_poller_watch(int epoll_fd, int wakeup_fd);

/// Forgets them, before they are closed. NULL is allowed.
void clinux_poller_unwatch(struct clinux_poller *poller);

/// accept4(2), which glibc declares under _GNU_SOURCE only: non-blocking and closed on exec from its first moment.
/// Returns the descriptor or −errno.
int clinux_accept(int fd, struct sockaddr *address, socklen_t *length);

/// Adds one to an eventfd. Returns 0 or −errno. For signal handlers, too.
static inline int clinux_eventfd_ring(int fd) { return eventfd_write(fd, 1) == 0 ? 0 : -errno; }

/// Bytes that a TCP socket has sent and the peer acknowledged, and that it has received. Returns 0, or −errno: −EOPNOTSUPP for
/// other sockets, −ENOTSUP when the kernel does not count.
int clinux_tcp_bytes(int fd, uint64_t *sent, uint64_t *received);

/// The socket that is corked on this thread; see `clinux_cork`. Resting it is a number that callers do not come with, so that
/// one comparison tells.
extern __thread int clinux_corked_descriptor CLINUX_THREAD_LOCAL;
#define CLINUX_NOTHING_CORKED INT_MIN

/// Corks a non-blocking socket for this thread: until `clinux_uncork` its send and recv say EAGAIN without a system call, so
/// that a library which sends at the end of every message gathers several of them first. Only BlockingShims heeds it; in a
/// program without it nothing changes. One socket at a time; nothing may wait meanwhile.
static inline void clinux_cork(int fd) { clinux_corked_descriptor = fd; }
static inline void clinux_uncork(void) { clinux_corked_descriptor = CLINUX_NOTHING_CORKED; }

/// Blocks every signal but faults and SIGPROF in the calling thread: a worker thread must not take signals meant for signalfd.
void clinux_block_all_signals(void);
