// sem_wait, sem_timedwait, sem_clockwait, sem_post.
//
// A semaphore may be posted by a signal handler, which must not call a scheduler. So the line here is one of its own, guarded
// with all signals blocked, and a waiting fiber is woken by an event descriptor: write(2) is what a handler may call.
// A post by another process, to a shared semaphore, wakes nobody here: hence a look from time to time.
#define CBS_AREA CBS_AREA_thread
#include "waiters.h"

#include <sys/eventfd.h>

#include "forks.h"

#ifndef CBS_THREAD_SANITIZER

#define CBS_LONGEST_NAP (128 * CBS_MILLISECOND)

typedef struct cbs_post_waiter {
    struct cbs_post_waiter *next;  ///< later in the line
    const sem_t *semaphore;        ///< what is waited for
    int event_fd;                  ///< written to by the post; −1: there is none, time alone wakes
    int is_queued;                 ///< still in the line
} cbs_post_waiter;

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static cbs_post_waiter *line = NULL;
static int waiter_count = 0;

static void lock_guard(sigset_t *before) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
    CBS_REAL(pthread_mutex_lock)(&guard);
}

static void unlock_guard(const sigset_t *before) {
    CBS_REAL(pthread_mutex_unlock)(&guard);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/// In a child process the line is the parent's.
void cbs_semaphores_forked(void) {
    guard = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    line = NULL;
    waiter_count = 0;
}

static void enter(cbs_post_waiter *waiter) {
    sigset_t before;
    lock_guard(&before);
    cbs_post_waiter **place = &line;
    while (*place != NULL) {
        place = &(*place)->next;
    }
    waiter->next = NULL;
    waiter->is_queued = 1;
    *place = waiter;
    __atomic_fetch_add(&waiter_count, 1, __ATOMIC_SEQ_CST);
    unlock_guard(&before);
}

static void unlink_waiter(cbs_post_waiter **place) {
    (*place)->is_queued = 0;
    *place = (*place)->next;
    __atomic_fetch_sub(&waiter_count, 1, __ATOMIC_RELAXED);
}

/// Leaves the line. Returns whether a post has taken the waiter out.
static int leave(cbs_post_waiter *waiter) {
    sigset_t before;
    lock_guard(&before);
    int was_woken = !waiter->is_queued;
    for (cbs_post_waiter **place = &line; !was_woken; place = &(*place)->next) {
        if (*place == waiter) {
            unlink_waiter(place);
            break;
        }
    }
    unlock_guard(&before);
    return was_woken;
}

/// Wakes the first fiber that waits for `semaphore`. For signal handlers, too.
static CBS_SLOW void wake(const sem_t *semaphore) {
    int error = errno;
    sigset_t before;
    lock_guard(&before);
    for (cbs_post_waiter **place = &line; *place != NULL; place = &(*place)->next) {
        if ((*place)->semaphore == semaphore) {
            uint64_t one = 1;
            int fd = (*place)->event_fd;
            unlink_waiter(place);
            // While the guard is held: the fiber closes its descriptor after it has left the line.
            ssize_t written = fd >= 0 ? CBS_REAL(write)(fd, &one, sizeof one) : 0;
            (void)written;
            break;
        }
    }
    unlock_guard(&before);
    errno = error;
}

/// Parks after a try that would block. Returns 1 to try again, 0 at the deadline, or −errno.
static int await_post(const cbs_hook_table *hooks, sem_t *semaphore, int event_fd, int64_t nap, int64_t deadline) {
    cbs_post_waiter waiter = {.semaphore = semaphore, .event_fd = event_fd};
    enter(&waiter);
    int64_t end = cbs_deadline(nap);
    end = end < deadline ? end : deadline;
    // A post after the caller's try and before the entry woke nobody.
    int value = 0;
    int result = sem_getvalue(semaphore, &value) == 0 && value > 0 ? 1
        : event_fd >= 0 ? cbs_wait_fd(hooks, event_fd, POLLIN, end) : cbs_sleep_until(hooks, end);
    int was_woken = leave(&waiter);
    if (was_woken && event_fd >= 0) {
        uint64_t count;
        ssize_t got = CBS_REAL(read)(event_fd, &count, sizeof count);
        (void)got;
    }
    if (result < 0 && was_woken) {
        wake(semaphore);  // the post was not for a fiber that goes without it
    }
    return result < 0 ? result : was_woken || result > 0 || end < deadline;
}

static CBS_SLOW int wait_until(const cbs_hook_table *hooks, sem_t *semaphore, int64_t deadline) {
    int error = errno;
    int event_fd = -1;
    int64_t nap = CBS_MILLISECOND;
    int parked = 1;
    int result;
    while ((result = sem_trywait(semaphore)) != 0 && errno == EAGAIN && parked > 0) {
        if (event_fd < 0) {
            event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        }
        parked = await_post(hooks, semaphore, event_fd, nap, deadline);
        nap = nap < CBS_LONGEST_NAP ? nap * 2 : nap;
    }
    error = result == 0 ? error : errno != EAGAIN ? errno : parked < 0 ? -parked : ETIMEDOUT;
    if (event_fd >= 0) {
        cbs_will_close(hooks, event_fd);
        CBS_REAL(close)(event_fd);
    }
    errno = error;
    return result;
}

int cbs_shim_sem_wait(sem_t *semaphore) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(sem_wait)(semaphore);
    }
    return wait_until(hooks, semaphore, CBS_NEVER);
}

/// The limit is looked at only when there is something to wait for.
static CBS_SLOW int wait_with_limit(
    const cbs_hook_table *hooks, sem_t *semaphore, clockid_t clock, const struct timespec *limit) {
    int64_t deadline = 0;
    int error = errno;
    int invalid = cbs_deadline_at(clock, limit, &deadline);
    if (!invalid) {
        return wait_until(hooks, semaphore, deadline);
    }
    int result = sem_trywait(semaphore);
    errno = result == 0 ? error : invalid;
    return result;
}

int cbs_shim_sem_timedwait(sem_t *semaphore, const struct timespec *limit) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(sem_timedwait)(semaphore, limit);
    }
    return wait_with_limit(hooks, semaphore, CLOCK_REALTIME, limit);
}

int cbs_shim_sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *limit) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(sem_clockwait)(semaphore, clock, limit);
    }
    return wait_with_limit(hooks, semaphore, clock, limit);
}

int cbs_shim_sem_post(sem_t *semaphore) {
    int result = CBS_REAL(sem_post)(semaphore);
#if !defined(__x86_64__)
    __atomic_thread_fence(__ATOMIC_SEQ_CST);  // as in waiters.h
#endif
    if (__builtin_expect(__atomic_load_n(&waiter_count, __ATOMIC_RELAXED) != 0, 0)) {
        wake(semaphore);
    }
    return result;
}

#endif
