// system, popen, pclose: a shell, and the wait for it.
//
// glibc's own wait inside them cannot be interposed, so they are done whole here. A worker thread for the originals is
// the worse way: it has all signals blocked and the command would inherit that, nothing could end it for a killed fiber,
// and ten slow commands would be all the threads there are.
//
// system: POSIX asks for SIGINT and SIGQUIT to be ignored meanwhile, which is the whole process's, and is counted over
// overlapping calls as glibc does; and for SIGCHLD to be blocked in the calling thread, so that no handler of the
// program takes the command's status. Blocking it across a park would block it for everything else on the thread, and
// other threads' handlers would run all the same, so it is not: a program that reaps all children in a SIGCHLD handler
// makes system answer −1 with ECHILD, as it can in every program with threads.
//
// A fiber killed in its wait leaves a child that somebody must fetch, or it is a zombie for the rest of the process: a
// thread of its own waits for it.
#define CBS_AREA CBS_AREA_process
#include "shell.h"

#include <pthread.h>
#include <spawn.h>

#include "children.h"
#include "forks.h"
#include "lock.h"
#include "streams.h"

static cbs_lock lock = CBS_LOCK;  // for everything static here

// MARK: Children nobody waits for

static void *cbs_fetch(void *argument) {
    CBS_REAL(waitpid)((pid_t)(intptr_t)argument, NULL, 0);
    return NULL;
}

/// Has a child fetched when it ends, however long that takes. Without memory for a thread it stays a zombie.
static void cbs_abandon(pid_t pid) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 65536);
    sigset_t all, kept;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &kept);  // inherited by the thread: signals are for others
    pthread_t thread;
    pthread_create(&thread, &attributes, cbs_fetch, (void *)(intptr_t)pid);
    pthread_sigmask(SIG_SETMASK, &kept, NULL);
    pthread_attr_destroy(&attributes);
}

/// Starts `sh -c command`. Returns 0 or an error number.
static int cbs_spawn_shell(
    pid_t *pid, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
    const char *command) {
    char *const arguments[] = {"sh", "-c", "--", (char *)command, NULL};
    return posix_spawn(pid, "/bin/sh", actions, attributes, arguments, environ);
}

// MARK: system

static int systems = 0;         // calls of system, on fibers or off
static int are_keys_ignored = 0;  // one on a fiber is or was among them
static struct sigaction kept_interrupt;
static struct sigaction kept_quit;

/// A call of system begins. glibc's own, off fibers, keeps and restores the two signals by itself: what was there before
/// all of them is noted here, lest one restores what another has set.
static void cbs_system_began(int is_on_fiber) {
    cbs_lock_take(&lock);
    if (systems++ == 0) {
        sigaction(SIGINT, NULL, &kept_interrupt);
        sigaction(SIGQUIT, NULL, &kept_quit);
    }
    if (is_on_fiber && !are_keys_ignored) {
        struct sigaction ignore = {.sa_handler = SIG_IGN};
        sigaction(SIGINT, &ignore, NULL);
        sigaction(SIGQUIT, &ignore, NULL);
        are_keys_ignored = 1;
    }
    cbs_lock_give(&lock);
}

static void cbs_system_ended(void) {
    cbs_lock_take(&lock);
    if (--systems == 0 && are_keys_ignored) {
        sigaction(SIGINT, &kept_interrupt, NULL);
        sigaction(SIGQUIT, &kept_quit, NULL);
        are_keys_ignored = 0;
    }
    cbs_lock_give(&lock);
}

/// The signals that the command is not to ignore with us.
static sigset_t cbs_system_defaults(void) {
    sigset_t defaults;
    sigemptyset(&defaults);
    if (kept_interrupt.sa_handler != SIG_IGN) {
        sigaddset(&defaults, SIGINT);
    }
    if (kept_quit.sa_handler != SIG_IGN) {
        sigaddset(&defaults, SIGQUIT);
    }
    return defaults;
}

static CBS_SLOW int cbs_system(const cbs_hook_table *hooks, const char *command) {
    int saved = errno;
    cbs_system_began(1);
    sigset_t defaults = cbs_system_defaults();
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    pid_t pid;
    int error = cbs_spawn_shell(&pid, NULL, &attributes, command);
    posix_spawnattr_destroy(&attributes);
    int status = W_EXITCODE(127, 0);  // POSIX: as if the shell had said that it cannot be run
    if (error == 0 && cbs_waitpid(hooks, pid, &status, 0) < 0) {
        status = -1;
        error = errno;
        if (error != ECHILD) {
            kill(pid, SIGKILL);  // as glibc does to the command of a cancelled thread; nobody has fetched it yet
            cbs_abandon(pid);
        }
    }
    cbs_system_ended();
    errno = error != 0 ? error : saved;
    return status;
}

int cbs_shim_system(const char *command) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        cbs_system_began(0);
        int status = CBS_REAL(system)(command);
        cbs_system_ended();
        return status;
    }
    // Without a command: is there a shell?
    return command == NULL ? cbs_system(hooks, "exit 0") == 0 : cbs_system(hooks, command);
}

/// In the child of a fork: what the parent waits for are no children of this process.
void cbs_processes_forked(void) {
    if (systems > 0 && are_keys_ignored) {
        sigaction(SIGINT, &kept_interrupt, NULL);
        sigaction(SIGQUIT, &kept_quit, NULL);
    }
    systems = 0;
    are_keys_ignored = 0;
    cbs_lock_give(&lock);
}

// MARK: popen

typedef struct cbs_process {
    FILE *file;                ///< our end of the pipe
    pid_t pid;                 ///< the shell
    struct cbs_process *next;  ///< in `processes`
} cbs_process;

static _Atomic(cbs_process *) processes = NULL;  // changed under `lock`; NULL is looked for without it

/// Takes the process behind `file` from the list; NULL when our popen did not make it.
static cbs_process *cbs_process_take(FILE *file) {
    if (CBS_LIKELY(atomic_load_explicit(&processes, memory_order_relaxed) == NULL)) {
        return NULL;
    }
    cbs_lock_take(&lock);
    cbs_process *previous = NULL;
    cbs_process *process = processes;
    while (process != NULL && process->file != file) {
        previous = process;
        process = process->next;
    }
    if (process != NULL && previous != NULL) {
        previous->next = process->next;
    } else if (process != NULL) {
        processes = process->next;
    }
    cbs_lock_give(&lock);
    return process;
}

/// The direction in popen's mode, 'r' or 'w', or 0 when it is none.
static char cbs_popen_direction(const char *mode) {
    char direction = 0;
    for (; *mode != '\0'; mode++) {
        if (*mode != 'e' && ((*mode != 'r' && *mode != 'w') || direction != 0)) {
            return 0;
        }
        direction = *mode == 'e' ? direction : *mode;
    }
    return direction;
}

static CBS_SLOW FILE *cbs_popen(const char *command, const char *mode) {
    char direction = cbs_popen_direction(mode);
    int ends[2];
    if (direction == 0) {
        errno = EINVAL;
        return NULL;
    }
    // Closed in every program started later, with or without the mode's `e`: else the command's end of file waits for
    // them. glibc closes them in later commands of popen alone.
    cbs_process *process = malloc(sizeof *process);
    if (process == NULL || pipe2(ends, O_CLOEXEC) != 0) {
        free(process);
        return NULL;
    }
    int is_reading = direction == 'r';
    int ours = ends[!is_reading];
    int theirs = ends[is_reading];
    process->file = fdopen(ours, is_reading ? "r" : "w");
    int error = process->file == NULL ? errno : 0;
    if (error == 0) {
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        // Onto itself, when 0 and 1 were closed here, it clears FD_CLOEXEC.
        error = posix_spawn_file_actions_adddup2(&actions, theirs, is_reading ? STDOUT_FILENO : STDIN_FILENO);
        error = error != 0 ? error : cbs_spawn_shell(&process->pid, &actions, NULL, command);
        posix_spawn_file_actions_destroy(&actions);
    }
    CBS_REAL(close)(theirs);
    if (error != 0) {
        if (process->file != NULL) {
            CBS_REAL(fclose)(process->file);
        } else {
            CBS_REAL(close)(ours);
        }
        free(process);
        errno = error;
        return NULL;
    }
    cbs_lock_take(&lock);
    process->next = processes;
    processes = process;
    cbs_lock_give(&lock);
    return process->file;
}

FILE *cbs_shim_popen(const char *command, const char *mode) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(popen)(command, mode) : cbs_popen(command, mode);
}

// MARK: pclose

/// A stream of glibc's popen: only its pclose knows the child.
typedef struct cbs_foreign_close {
    atomic_int references;  ///< the fiber and the worker
    FILE *file;             ///< closed by the worker
    int result;             ///< what the original returned
    int error;              ///< errno after it
} cbs_foreign_close;

static void cbs_foreign_release(void *argument) {
    cbs_foreign_close *request = argument;
    if (atomic_fetch_sub_explicit(&request->references, 1, memory_order_acq_rel) == 1) {
        free(request);
    }
}

static void cbs_foreign_work(void *argument) {
    cbs_foreign_close *request = argument;
    request->result = CBS_REAL(pclose)(request->file);
    request->error = errno;
}

static int cbs_foreign_pclose(const cbs_hook_table *hooks, FILE *file) {
    cbs_foreign_close *request = calloc(1, sizeof *request);
    if (request == NULL) {
        return CBS_REAL(pclose)(file);
    }
    atomic_init(&request->references, 2);
    request->file = file;
    int saved = errno;
    cbs_will_close(hooks, fileno(file));
    int error = -cbs_offload(hooks, cbs_foreign_work, cbs_foreign_release, request);
    int result = -1;
    if (error == 0) {
        result = request->result;
        error = result == -1 ? request->error : saved;
    }
    cbs_foreign_release(request);
    errno = error;
    return result;
}

int cbs_process_close(const cbs_hook_table *hooks, FILE *file, int *result) {
    cbs_process *process = cbs_process_take(file);
    if (CBS_LIKELY(process == NULL)) {
        return 0;
    }
    pid_t pid = process->pid;
    free(process);
    int saved = errno;
    if (hooks != NULL) {
        cbs_stream_close(hooks, file);  // what cannot be written is the command's loss, as in glibc's pclose
    } else {
        CBS_REAL(fclose)(file);
    }
    errno = saved;
    if (hooks != NULL) {
        if (cbs_waitpid(hooks, pid, result, 0) < 0) {
            *result = -1;
            if (errno != ECHILD) {
                cbs_abandon(pid);
            }
        }
        return 1;
    }
    pid_t waited;
    do {
        waited = CBS_REAL(waitpid)(pid, result, 0);
    } while (waited < 0 && errno == EINTR);
    *result = waited < 0 ? -1 : *result;
    return 1;
}

int cbs_shim_pclose(FILE *file) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    int result;
    if (cbs_process_close(hooks, file, &result)) {
        return result;
    }
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(pclose)(file) : cbs_foreign_pclose(hooks, file);
}
