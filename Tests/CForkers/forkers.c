#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CForkers.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/// The child's part: what libraries do between the fork and the program.
__attribute__((noreturn)) static void run_child(const cforkers_steps *steps) {
    // One that waits for ever is ended, and its test fails. The threads of Swift's pool block signals.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &signals, NULL);
    alarm(30);
    *steps->mark = 1;
    int is_closed = close(steps->closed) == 0;
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int is_replaced = fd >= 0 && dup2(fd, steps->replaced) == steps->replaced;
    alarm(0);
    _exit(is_closed && is_replaced && close(fd) == 0 ? 7 : 1);
}

pid_t cforkers_child(enum cforkers_way way, const cforkers_steps *steps) {
    pid_t child = way == CFORKERS_VFORK ? vfork() : way == CFORKERS_FORK ? fork() : _Fork();
    if (child == 0) {
        run_child(steps);
    }
    return child;
}
