// Sets of descriptors that a fiber waits for at once.
//
// A private epoll instance, itself waited for with `wait_fd`: an epoll descriptor is readable while one of its own has
// an event, and instances nest (epoll(7); at most five deep, ours is the second level). The alternative, handing the
// whole array to the scheduler, would give the reactor one registration per descriptor to make and take back, several
// waiters for one descriptor, and masks (POLLPRI, errors alone) that its readers and writers do not know.
// Registrations are level-triggered: "readable" means "ask poll again", never more.
//
// epoll forgets a descriptor that is closed, without a word. So members stand in lines by their numbers, where who closes
// one finds it:
//
//     lines of this thread   [0] [1] [2] [3] …   number modulo CBS_LINES
//                                 |
//                              member ── member        on the stacks of parked fibers
//                                 |         |
//                                set       set         marked, and its epoll instance's waiter woken
#include "sets.h"

#define CBS_LINES 64

// Of the thread, as fibers are: no lock.
static __thread cbs_member *lines[CBS_LINES] __attribute__((tls_model("initial-exec")));

/// In a child process: who stands in line is the parent's, and never runs here.
static void forget_members(void) { memset(lines, 0, sizeof lines); }

__attribute__((constructor(102))) static void register_child_handler(void) {
    pthread_atfork(NULL, NULL, forget_members);
}

// MARK: Lines

static void leave_line(cbs_member *member) {
    if (member->link != NULL) {
        *member->link = member->next;
        if (member->next != NULL) {
            member->next->link = member->link;
        }
        member->link = NULL;
    }
}

/// Tells the scheduler; as CBS_CALL, but off fibers, too.
static void tell(const cbs_hook_table *hooks, int first, int last) {
    int error = errno;
    cf_fiber *fiber = cf_fiber_current();
    int32_t outer = fiber != NULL ? fiber->is_in_hook : 0;
    if (fiber != NULL) {
        fiber->is_in_hook = 1;
    }
    hooks->will_close(first, last);
    if (fiber != NULL) {
        fiber->is_in_hook = outer;
    }
    errno = error;
}

/// Puts `fds` into line. Returns 0 or −ENOMEM.
static int cbs_wait_set_begin(
    const cbs_hook_table *hooks, cbs_wait_set *set, struct pollfd *fds, nfds_t count) {
    if (set->members != NULL) {
        return 0;
    }
    int error = errno;
    set->members = count <= CBS_FEW ? set->few : malloc(count * sizeof *set->members);
    errno = error;
    if (set->members == NULL) {
        return -ENOMEM;
    }
    set->hooks = hooks;
    set->count = count;
    for (nfds_t i = 0; i < count; i++) {
        cbs_member *member = &set->members[i];
        *member = (cbs_member){.set = set, .entry = &fds[i]};
        if (fds[i].fd >= 0) {
            cbs_member **line = &lines[fds[i].fd % CBS_LINES];
            member->next = *line;
            member->link = line;
            if (member->next != NULL) {
                member->next->link = &member->next;
            }
            *line = member;
        }
    }
    return 0;
}

void cbs_wait_set_end(cbs_wait_set *set) {
    if (set->members == NULL) {
        return;
    }
    int error = errno;
    for (nfds_t i = 0; i < set->count; i++) {
        leave_line(&set->members[i]);
    }
    if (set->members != set->few) {
        free(set->members);
    }
    set->members = NULL;
    if (set->epoll_fd >= 0) {
        tell(set->hooks, set->epoll_fd, set->epoll_fd);
        CBS_REAL(close)(set->epoll_fd);
        set->epoll_fd = -1;
    }
    errno = error;
}

static cbs_member *find_member(int first, int last) {
    int count = last - first < CBS_LINES ? last - first + 1 : CBS_LINES;
    for (int i = 0; i < count; i++) {
        cbs_member *member = lines[(first % CBS_LINES + i) % CBS_LINES];
        while (member != NULL && (member->entry->fd < first || member->entry->fd > last)) {
            member = member->next;
        }
        if (member != NULL) {
            return member;
        }
    }
    return NULL;
}

void cbs_will_close_range(const cbs_hook_table *hooks, int first, int last) {
    tell(hooks, first, last);
    cbs_member *member;
    // From the beginning each time: what a hook lets go of may close descriptors, too.
    while ((member = find_member(first, last)) != NULL) {
        leave_line(member);
        member->entry->revents = POLLNVAL;
        cbs_wait_set *set = member->set;
        set->closed++;
        if (set->epoll_fd >= 0) {
            tell(set->hooks, set->epoll_fd, set->epoll_fd);  // its waiter's fiber goes on, and ends the set
        }
    }
}

// MARK: Waiting

/// Sleeps a little, in place of a wait that cannot be had (EMFILE, nesting too deep). Grows from 1 ms to 16 ms.
static int cbs_nap(const cbs_hook_table *hooks, cbs_wait_set *set, int64_t deadline) {
    int64_t end = cbs_deadline(CBS_MILLISECOND << (set->naps < 4 ? set->naps : 4));
    set->naps++;
    int result = cbs_sleep_until(hooks, end < deadline ? end : deadline);
    return result < 0 ? result : end < deadline;
}

/// Registers `fds`. Returns 0, 1 when one is ready as it is, or −errno.
static int cbs_wait_set_fill(int epoll_fd, const struct pollfd *fds, nfds_t count) {
    for (nfds_t i = 0; i < count; i++) {
        if (fds[i].fd < 0) {
            continue;
        }
        // POLLIN … POLLRDHUP have the values of EPOLLIN … EPOLLRDHUP.
        struct epoll_event event = {.events = (uint32_t)(unsigned short)fds[i].events};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fds[i].fd, &event) == 0) {
            continue;
        }
        if (errno == EEXIST) {  // named twice: wait for what both entries ask
            for (nfds_t j = 0; j < i; j++) {
                event.events |= fds[j].fd == fds[i].fd ? (uint32_t)(unsigned short)fds[j].events : 0;
            }
            if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fds[i].fd, &event) != 0) {
                return -errno;
            }
        } else if (errno == EPERM) {  // a regular file: ready for reads and writes, never for anything else
            if (fds[i].events & (POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM)) {
                return 1;
            }
        } else {
            return errno == EBADF ? 1 : -errno;  // poll reports POLLNVAL
        }
    }
    return 0;
}

int cbs_wait_set_wait(
    const cbs_hook_table *hooks, cbs_wait_set *set, struct pollfd *fds, nfds_t count, int64_t deadline) {
    int result = cbs_wait_set_begin(hooks, set, fds, count);
    if (result < 0) {
        return result;
    }
    int error = errno;
    if (set->epoll_fd < 0 && set->naps == 0) {
        int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        int filled = epoll_fd < 0 ? -errno : cbs_wait_set_fill(epoll_fd, fds, count);
        if (filled != 0 && epoll_fd >= 0) {
            CBS_REAL(close)(epoll_fd);
        }
        errno = error;
        if (filled > 0) {
            return 1;
        }
        set->epoll_fd = filled == 0 ? epoll_fd : -1;
    }
    result = set->epoll_fd < 0 ? cbs_nap(hooks, set, deadline) : cbs_wait_fd(hooks, set->epoll_fd, POLLIN, deadline);
    return set->closed > 0 ? -EBADF : result > 0 ? 1 : result;
}

int cbs_sleep_beside(const cbs_hook_table *hooks, struct pollfd *fds, nfds_t count, int64_t deadline) {
    cbs_wait_set set = CBS_WAIT_SET;
    int result = cbs_wait_set_begin(hooks, &set, fds, count);
    if (result == 0) {
        result = cbs_sleep_until(hooks, deadline);
        result = set.closed > 0 ? -EBADF : result;
        cbs_wait_set_end(&set);
    }
    return result;
}

int cbs_sleep_for(const cbs_hook_table *hooks, int fd, int64_t deadline) {
    struct pollfd one = {.fd = fd};
    return cbs_sleep_beside(hooks, &one, 1, deadline);
}
