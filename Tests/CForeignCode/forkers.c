#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CForeignCode.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

pid_t __vfork(void) __attribute__((returns_twice));  // exported by glibc, in no header

/// The child's part: what libraries do between the fork and the program.
__attribute__((noreturn)) static void run_child(const cforeign_steps *steps) {
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

pid_t cforeign_child(enum cforeign_way way, const cforeign_steps *steps) {
    pid_t child = -1;
    switch (way) {
    case CFOREIGN_FORK: child = fork(); break;
    case CFOREIGN_VFORK: child = vfork(); break;
    case CFOREIGN_SECOND_VFORK: child = __vfork(); break;
    case CFOREIGN_FORK_ALONE: child = _Fork(); break;
    }
    if (child == 0) {
        run_child(steps);
    }
    return child;
}
