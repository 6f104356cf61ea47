// Child processes, and writing to pipes without SIGPIPE.
#pragma once

#include <stddef.h>
#include <sys/types.h>

/// How a child is started.
typedef struct clinux_spawn {
    const char *program;        ///< a path, or a name that is looked for in PATH
    char *const *arguments;     ///< ended by NULL; the first is the program's name
    char *const *environment;   ///< ended by NULL
    const char *directory;      ///< where it begins to run, or NULL for here
    int descriptors[3];         ///< its standard input, output and errors; −1: /dev/null
    int has_own_group;          ///< whether it leads a process group of its own
} clinux_spawn;

/// Starts a child, which inherits no other descriptor, whatever its flags; signals are unblocked and at their defaults. Blocks until
/// the program runs in it, or cannot. Returns 0 or −errno.
int clinux_spawn_start(const clinux_spawn *spawn, pid_t *pid);

/// A descriptor that is readable once the child has ended: pidfd_open(2). Returns it or −errno.
int clinux_pidfd_open(pid_t pid);

/// Sends a signal to the process of a pidfd, and to no other that has its number by now. Returns 0 or −errno.
int clinux_pidfd_signal(int pidfd, int number);

/// Fetches an ended child by its pidfd: 1, and how it ended as waitid(2) says; 0 while it runs; −errno (−ECHILD: somebody else has).
int clinux_pidfd_fetch(int pidfd, int *code, int *status);

/// A pipe: `ends[0]` reads, `ends[1]` writes; closed on exec from its first moment. Returns 0 or −errno.
int clinux_pipe(int ends[2]);

/// write(2) for pipes: EPIPE comes without the signal, which would end the process. Returns a count or −errno.
ssize_t clinux_write_without_signal(int fd, const void *bytes, size_t count);

/// The variables of this process, ended by NULL.
char **clinux_environment(void);
