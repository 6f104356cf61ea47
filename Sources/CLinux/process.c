#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // pipe2, the newer file actions of posix_spawn
#endif

#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    STANDARD_DESCRIPTORS = 3,
    WAIT_FOR_PIDFD = 3,  // P_PIDFD, which glibc's enumeration has since 2.36 only
};

int clinux_spawn_start(const clinux_spawn *spawn, pid_t *pid) {
    // A source may have the number of another's target. Copy all above the targets first, so that no dup2 in the child
    // overwrites one that is still to be copied.
    int sources[STANDARD_DESCRIPTORS];
    int opened = 0;
    int result = 0;
    for (; opened < STANDARD_DESCRIPTORS; opened++) {
        int descriptor = spawn->descriptors[opened];
        int null = -1;
        if (descriptor < 0) {
            descriptor = null = open("/dev/null", O_RDWR | O_CLOEXEC);
        }
        sources[opened] = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, STANDARD_DESCRIPTORS);
        if (sources[opened] < 0) {
            result = errno;
        }
        if (null >= 0) {
            close(null);
        }
        if (result != 0) {
            break;
        }
    }

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    // Neither initialiser can fail in glibc; both objects are destroyed below on every path.
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    for (int i = 0; result == 0 && i < STANDARD_DESCRIPTORS; i++) {
        result = posix_spawn_file_actions_adddup2(&actions, sources[i], i);
    }
    if (result == 0) {
        result = posix_spawn_file_actions_addclosefrom_np(&actions, STANDARD_DESCRIPTORS);
    }
    if (result == 0 && spawn->directory != NULL) {
        result = posix_spawn_file_actions_addchdir_np(&actions, spawn->directory);
    }
    // A process that reads signals from a signalfd has them blocked; a blocked mask would be inherited.
    if (result == 0) {
        result = posix_spawnattr_setsigmask(&attributes, &none);
    }
    if (result == 0) {
        result = posix_spawnattr_setsigdefault(&attributes, &all);
    }
    if (result == 0) {
        int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
        result = posix_spawnattr_setflags(
            &attributes, (short)(flags | (spawn->has_own_group ? POSIX_SPAWN_SETPGROUP : 0)));
    }
    if (result == 0) {
        result = posix_spawnp(
            pid, spawn->program, &actions, &attributes, spawn->arguments, spawn->environment);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i < opened; i++) {
        close(sources[i]);
    }
    return -result;
}

int clinux_pidfd_open(pid_t pid) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);  // closed on exec by itself
    return fd < 0 ? -errno : fd;
}

int clinux_pidfd_signal(int pidfd, int number) {
    return syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) == 0 ? 0 : -errno;
}

int clinux_pidfd_fetch(int pidfd, int *code, int *status) {
    siginfo_t info;
    info.si_pid = 0;
    int result;
    do {
        result = waitid((idtype_t)WAIT_FOR_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
    } while (result < 0 && errno == EINTR);
    if (result < 0) {
        return -errno;
    }
    if (info.si_pid == 0) {
        return 0;
    }
    *code = info.si_code;
    *status = info.si_status;
    return 1;
}

int clinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : -errno; }

ssize_t clinux_write_without_signal(int fd, const void *bytes, size_t count) {
    sigset_t pipe, before, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    sigpending(&pending);
    ssize_t written = write(fd, bytes, count);
    ssize_t result = written < 0 ? -errno : written;
    // Ours is taken back, one that was there before is not. It is the thread's own: no other can take it.
    if (result == -EPIPE && !sigismember(&pending, SIGPIPE)) {
        struct timespec now = {0, 0};
        while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR) {
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

char **clinux_environment(void) { return environ; }
