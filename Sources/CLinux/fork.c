#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

struct clinux_poller {
    int epoll_fd;                ///< the loop's epoll instance
    int wakeup_fd;               ///< the eventfd in it
    struct clinux_poller *next;  ///< in `pollers`
};

unsigned int clinux_forks = 0;

static struct clinux_poller *pollers = NULL;
static atomic_flag lock = ATOMIC_FLAG_INIT;  // for `pollers`; held across a fork, so that the child finds the list whole
static atomic_int is_watching = 0;

static void take(void) {
    while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) {
        sched_yield();
    }
}

static void give(void) { atomic_flag_clear_explicit(&lock, memory_order_release); }

/// The numbers inherited from the parent mean its epoll instance and its eventfd, both shared with it. Here each gets a
/// fresh one under the same number. Nothing but system calls: most children are about to exec.
static void renew(const struct clinux_poller *poller) {
    // Both first, so that there is room when the limit of descriptors is reached. Closing takes nothing from the parent.
    close(poller->epoll_fd);
    close(poller->wakeup_fd);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd >= 0 && epoll_fd != poller->epoll_fd) {
        dup3(epoll_fd, poller->epoll_fd, O_CLOEXEC);
        close(epoll_fd);
    }
    int wakeup_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wakeup_fd >= 0 && wakeup_fd != poller->wakeup_fd) {
        dup3(wakeup_fd, poller->wakeup_fd, O_CLOEXEC);
        close(wakeup_fd);
    }
    clinux_epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, poller->wakeup_fd, EPOLLIN | EPOLLET, 0);
}

void clinux_forked(void) {
    int error = errno;
    clinux_forks++;
    clinux_set_thread_reactor(NULL);
    for (const struct clinux_poller *poller = pollers; poller != NULL; poller = poller->next) {
        renew(poller);
    }
    give();
    errno = error;
}

struct clinux_poller *clinux_poller_watch(int epoll_fd, int wakeup_fd) {
    if (atomic_exchange(&is_watching, 1) == 0) {
        pthread_atfork(take, give, clinux_forked);
    }
    struct clinux_poller *poller = malloc(sizeof *poller);
    if (poller != NULL) {
        poller->epoll_fd = epoll_fd;
        poller->wakeup_fd = wakeup_fd;
        take();
        poller->next = pollers;
        __atomic_store_n(&pollers, poller, __ATOMIC_RELEASE);  // whole at every moment: _Fork does not take the lock
        give();
    }
    return poller;
}

void clinux_poller_unwatch(struct clinux_poller *poller) {
    if (poller == NULL) {
        return;
    }
    take();
    struct clinux_poller **link = &pollers;
    while (*link != NULL && *link != poller) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = poller->next;
    }
    give();
    free(poller);
}
