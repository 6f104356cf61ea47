// waitpid, wait, wait3, wait4, waitid: asked with WNOHANG, parked between two questions.
//
// One child: its pidfd is readable when it has ended (pidfd_open(2)), whoever is told of it. Nothing is taken from other
// code's waits, no signal handler is needed, and SIGCHLD may be ignored, blocked or somebody else's.
//
// Any child, or a group: the pidfds of the children listed in /proc/self/task/*/children, together. That list is a
// moment's, so it is read again ten times a second: a child made meanwhile is seen then at the latest. A blocking
// waitid with WNOWAIT on a worker thread would steal nothing either, but nothing ends it when its fiber is killed.
//
// Where neither is to be had (a kernel before 5.3, no /proc, no descriptor left, a wait for stopped or continued
// children, for which there is no descriptor), the question is repeated after naps.
#define CBS_AREA CBS_AREA_process
#include "children.h"
#include "sets.h"

#include <dirent.h>
#include <sys/syscall.h>

/// How long a list of children is good for, and a nap in a wait for stopped or continued ones.
#define CBS_CHILDREN_PERIOD (100 * CBS_MILLISECOND)
#define CBS_STOP_PERIOD (20 * CBS_MILLISECOND)

static int cbs_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

static int cbs_child_nap(const cbs_hook_table *hooks, cbs_child_wait *wait) {
    int64_t nap = CBS_MILLISECOND << (wait->misses < 5 ? wait->misses : 5);
    wait->misses++;
    return cbs_sleep_until(hooks, cbs_deadline(nap));
}

/// When a wait that a descriptor serves must ask again without it.
static int64_t cbs_child_deadline(const cbs_child_wait *wait, int64_t period) {
    int is_stop = (wait->options & (WUNTRACED | WCONTINUED)) != 0;
    period = is_stop && CBS_STOP_PERIOD < period ? CBS_STOP_PERIOD : period;
    return period == CBS_NEVER ? CBS_NEVER : cbs_deadline(period);
}

// MARK: One child

static int cbs_child_await_one(const cbs_hook_table *hooks, cbs_child_wait *wait) {
    if (!wait->is_open) {
        wait->is_open = 1;
        if (wait->type == P_PID) {
            int error = errno;
            wait->fd = cbs_pidfd_open((pid_t)wait->id);
            errno = error;
            return 0;  // it may have ended, and its number be another's, before there was a descriptor: ask once more
        }
        wait->fd = (int)wait->id;
    }
    // A readable pidfd with nothing to fetch: a tracer's child, a dead leader with live threads.
    if (wait->fd < 0 || wait->misses > 0) {
        return cbs_child_nap(hooks, wait);
    }
    int result = cbs_wait_fd(hooks, wait->fd, POLLIN, cbs_child_deadline(wait, CBS_NEVER));
    wait->misses = result > 0;
    return result < 0 ? result : 0;
}

// MARK: Any child

/// The children of one thread, as the text of a file in /proc; NULL when there is none. To be freed.
static char *cbs_children_text(const char *thread) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%.20s/children", thread);
    int fd = CBS_REAL(open)(path, O_RDONLY | O_CLOEXEC);
    size_t capacity = 4096;
    size_t size = 0;
    char *text = fd < 0 ? NULL : malloc(capacity);
    while (text != NULL) {
        if (capacity - size < 2) {
            char *larger = realloc(text, capacity *= 2);
            if (larger == NULL) {
                break;  // those read so far will do: the list is read again
            }
            text = larger;
        }
        ssize_t count = CBS_REAL(read)(fd, text + size, capacity - size - 1);
        if (count <= 0) {
            break;
        }
        size += (size_t)count;
    }
    if (fd >= 0) {
        CBS_REAL(close)(fd);
    }
    if (text != NULL) {
        text[size] = '\0';
    }
    return text;
}

/// Opens pidfds of this process's children that `wait` may mean. Returns how many; the array is to be freed.
static nfds_t cbs_children_open(const cbs_child_wait *wait, struct pollfd **fds) {
    nfds_t count = 0;
    nfds_t capacity = 0;
    *fds = NULL;
    DIR *threads = opendir("/proc/self/task");
    struct dirent *entry;
    while (threads != NULL && (entry = readdir(threads)) != NULL) {
        char *text = entry->d_name[0] == '.' ? NULL : cbs_children_text(entry->d_name);
        char *next = text;
        for (;;) {
            pid_t pid = next == NULL ? 0 : (pid_t)strtol(next, &next, 10);
            if (pid <= 0) {
                break;
            }
            if (wait->type == P_PGID && getpgid(pid) != (pid_t)wait->id) {
                continue;
            }
            if (count == capacity) {
                capacity = capacity * 2 + 8;
                struct pollfd *larger = realloc(*fds, capacity * sizeof **fds);
                if (larger == NULL) {
                    break;
                }
                *fds = larger;
            }
            int fd = cbs_pidfd_open(pid);
            if (fd < 0) {
                break;
            }
            (*fds)[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
        }
        free(text);
    }
    if (threads != NULL) {
        closedir(threads);
    }
    return count;
}

static int cbs_child_await_any(const cbs_hook_table *hooks, cbs_child_wait *wait) {
    if (wait->misses > 0) {
        return cbs_child_nap(hooks, wait);  // an ended child that this wait does not mean would wake it for ever
    }
    int error = errno;
    struct pollfd *fds;
    nfds_t count = cbs_children_open(wait, &fds);
    errno = error;
    if (count == 0) {
        free(fds);
        return cbs_child_nap(hooks, wait);
    }
    // Who ended since the WNOHANG attempt has a readable descriptor or is no longer listed; only the latter is seen late.
    cbs_wait_set set = CBS_WAIT_SET;
    int result = cbs_wait_set_wait(hooks, &set, fds, count, cbs_child_deadline(wait, CBS_CHILDREN_PERIOD));
    cbs_wait_set_end(&set);
    error = errno;
    for (nfds_t i = 0; i < count; i++) {
        CBS_REAL(close)(fds[i].fd);
    }
    free(fds);
    errno = error;
    wait->misses = result > 0;
    return result < 0 ? result : 0;
}

int cbs_child_await(const cbs_hook_table *hooks, cbs_child_wait *wait) {
    int is_one = wait->type == P_PID || wait->type == P_PIDFD;
    return is_one ? cbs_child_await_one(hooks, wait) : cbs_child_await_any(hooks, wait);
}

void cbs_child_wait_end(const cbs_hook_table *hooks, cbs_child_wait *wait) {
    if (wait->type == P_PID && wait->fd >= 0) {
        int error = errno;
        cbs_will_close(hooks, wait->fd);
        CBS_REAL(close)(wait->fd);
        errno = error;
    }
    wait->fd = -1;
}

// MARK: Shims

/// What the first argument of waitpid(2) means.
static cbs_child_wait cbs_child_wait_of(pid_t pid, int options) {
    cbs_child_wait wait = {.type = P_ALL, .options = options, .fd = -1};
    if (pid > 0) {
        wait.type = P_PID;
        wait.id = (id_t)pid;
    } else if (pid != -1) {
        wait.type = P_PGID;
        wait.id = pid == 0 ? (id_t)getpgrp() : (id_t)-(int64_t)pid;
    }
    return wait;
}

/// Repeats `attempt`, made with WNOHANG, until it yields something else than `nothing`, an expression of `result_`.
#define CBS_UNTIL_CHILD(hooks, wait, attempt, nothing)        \
    ({                                                        \
        cbs_child_wait wait_ = (wait);                        \
        __typeof__(attempt) result_;                          \
        while (result_ = (attempt), (nothing)) {              \
            int error_ = -cbs_child_await((hooks), &wait_);   \
            if (error_ != 0) {                                \
                errno = error_;                               \
                result_ = -1;                                 \
                break;                                        \
            }                                                 \
        }                                                     \
        cbs_child_wait_end((hooks), &wait_);                  \
        result_;                                              \
    })

pid_t cbs_waitpid(const cbs_hook_table *hooks, pid_t pid, int *status, int options) {
    return CBS_UNTIL_CHILD(
        hooks, cbs_child_wait_of(pid, options), CBS_REAL(waitpid)(pid, status, options | WNOHANG), result_ == 0);
}

static CBS_SLOW pid_t cbs_wait4(
    const cbs_hook_table *hooks, pid_t pid, int *status, int options, struct rusage *usage) {
    return CBS_UNTIL_CHILD(
        hooks, cbs_child_wait_of(pid, options), CBS_REAL(wait4)(pid, status, options | WNOHANG, usage), result_ == 0);
}

static CBS_SLOW int cbs_waitid(const cbs_hook_table *hooks, idtype_t type, id_t id, siginfo_t *info, int options) {
    siginfo_t none;
    info = info == NULL ? &none : info;
    info->si_pid = 0;  // what stays when there is nothing to fetch
    cbs_child_wait wait = {.type = type, .id = id, .options = options, .fd = -1};
    if (type == P_PGID && id == 0) {
        wait.id = (id_t)getpgrp();
    }
    return CBS_UNTIL_CHILD(
        hooks, wait, CBS_REAL(waitid)(type, id, info, options | WNOHANG), result_ == 0 && info->si_pid == 0);
}

pid_t cbs_shim_waitpid(pid_t pid, int *status, int options) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || (options & WNOHANG) != 0) {
        return CBS_REAL(waitpid)(pid, status, options);
    }
    return cbs_waitpid(hooks, pid, status, options);
}

pid_t cbs_shim_wait(int *status) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(wait)(status) : cbs_waitpid(hooks, -1, status, 0);
}

pid_t cbs_shim_wait4(pid_t pid, int *status, int options, struct rusage *usage) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || (options & WNOHANG) != 0) {
        return CBS_REAL(wait4)(pid, status, options, usage);
    }
    return cbs_wait4(hooks, pid, status, options, usage);
}

pid_t cbs_shim_wait3(int *status, int options, struct rusage *usage) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || (options & WNOHANG) != 0) {
        return CBS_REAL(wait3)(status, options, usage);
    }
    return cbs_wait4(hooks, -1, status, options, usage);
}

int cbs_shim_waitid(idtype_t type, id_t id, siginfo_t *info, int options) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || (options & WNOHANG) != 0
        || (type == P_PIDFD && (fcntl((int)id, F_GETFL) & O_NONBLOCK) != 0)) {  // which answers EAGAIN
        return CBS_REAL(waitid)(type, id, info, options);
    }
    return cbs_waitid(hooks, type, id, info, options);
}
