#define _GNU_SOURCE
#include "CPosixSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAXIMUM_DESCRIPTORS = 16 };

int cposixspawn_start(pid_t *pid, const char *path, char *const arguments[], char *const environment[],
                      const char *directory, const int descriptors[], int count) {
    if (count > MAXIMUM_DESCRIPTORS) return -EINVAL;

    // A source may have the number of another's target. Move all sources above the targets first, so that no
    // dup2 in the child overwrites one that is still to be copied.
    int sources[MAXIMUM_DESCRIPTORS];
    int opened = 0;
    int result = 0;
    for (; opened < count; opened++) {
        sources[opened] = descriptors[opened] < 0
            ? open("/dev/null", O_RDWR | O_CLOEXEC)
            : fcntl(descriptors[opened], F_DUPFD_CLOEXEC, MAXIMUM_DESCRIPTORS);
        if (sources[opened] >= 0 && sources[opened] < MAXIMUM_DESCRIPTORS) {
            int low = sources[opened];
            sources[opened] = fcntl(low, F_DUPFD_CLOEXEC, MAXIMUM_DESCRIPTORS);
            close(low);
        }
        if (sources[opened] < 0) {
            result = errno;
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
    for (int i = 0; result == 0 && i < count; i++)
        result = posix_spawn_file_actions_adddup2(&actions, sources[i], i);
    if (result == 0) result = posix_spawn_file_actions_addclosefrom_np(&actions, count);
    if (result == 0) result = posix_spawn_file_actions_addchdir_np(&actions, directory);
    // A process that reads signals from a signalfd has them blocked; a blocked mask would be inherited.
    if (result == 0) result = posix_spawnattr_setsigmask(&attributes, &none);
    if (result == 0) result = posix_spawnattr_setsigdefault(&attributes, &all);
    // A session of its own: Ctrl-C in our terminal must not reach the child.
    if (result == 0)
        result = posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    if (result == 0) result = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i < opened; i++) close(sources[i]);
    return -result;
}

int cposixspawn_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : -errno; }

int cposixspawn_memory_file(const char *name) {
    int descriptor = memfd_create(name, MFD_CLOEXEC);
    return descriptor >= 0 ? descriptor : -errno;
}
