// Waiting for child processes, shared by the wait family (children.c) and the functions with a shell (shell.c).
#pragma once

#include "dispatch.h"

/// One blocking wait for children: what it asks for, and what it waits with.
typedef struct cbs_child_wait {
    idtype_t type;  ///< which children: P_PID, P_PIDFD, P_PGID, P_ALL
    id_t id;        ///< of that type; a group is never 0
    int options;    ///< WUNTRACED and WCONTINUED matter: nothing announces a stopped or continued child
    int fd;         ///< pidfd to wait for, or −1
    int is_open;    ///< `fd` has been looked for
    int misses;     ///< waits that said "ended" while there was nothing to fetch
} cbs_child_wait;

/// Parks after a WNOHANG attempt found nothing. Returns 0 to try again, or −errno.
__attribute__((visibility("hidden"))) int cbs_child_await(const cbs_hook_table *hooks, cbs_child_wait *wait);

__attribute__((visibility("hidden"))) void cbs_child_wait_end(const cbs_hook_table *hooks, cbs_child_wait *wait);

/// waitpid(2) on a fiber.
__attribute__((visibility("hidden"))) pid_t cbs_waitpid(
    const cbs_hook_table *hooks, pid_t pid, int *status, int options);
