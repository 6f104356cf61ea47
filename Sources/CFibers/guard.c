#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // registers in ucontext_t
#endif

#include "CFibers.h"
#include "sanitizers.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

static struct sigaction previous;
static pthread_once_t once = PTHREAD_ONCE_INIT;

// A message is put together without stdio, which a signal handler must not use.

typedef struct text {
    char bytes[640];
    size_t length;
} text;

static void add(text *message, const char *part) {
    while (*part != 0 && message->length < sizeof message->bytes) {
        message->bytes[message->length++] = *part++;
    }
}

static void add_number(text *message, uint64_t number) {
    char digits[24];
    int first = sizeof digits - 1;
    digits[first] = 0;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    add(message, digits + first);
}

static void tell(const cf_fiber *fiber) {
    text message = {.length = 0};
    add(&message, "fatal error: greenlet \"");
    if (fiber->label_name[0] != 0) {
        add(&message, fiber->label_name);
    } else {
        add(&message, "greenlet-");
        add_number(&message, fiber->label_id);
    }
    add(&message, "\" (");
    add_number(&message, fiber->label_id);
    add(&message, ", spawned at ");
    add(&message, fiber->label_file != NULL ? fiber->label_file : "?");
    add(&message, ":");
    add_number(&message, fiber->label_line);
    add(&message, ") has used up its stack of ");
    add_number(&message, cf_fiber_stack_size(fiber));
    add(&message,
        " bytes: it recurses without end, or needs more; set REACTOR_STACK_SIZE in the environment to a number of bytes, "
        "or give it an async body\n");
    // Nothing can be done about a failure.
    ssize_t written = write(STDERR_FILENO, message.bytes, message.length);
    (void)written;
}

/// Whether the fault is the running fiber's stack that has come to its end.
static int is_overflow(const cf_fiber *fiber, uintptr_t address, const ucontext_t *registers) {
    uintptr_t low = (uintptr_t)fiber->mapping;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    if (address >= low && address < low + page) {
        return 1;
    }
    // A large frame may reach over the guard page: then the stack pointer has left the stack, and the fault is near it.
#if defined(__x86_64__)
    uintptr_t sp = (uintptr_t)registers->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    uintptr_t sp = (uintptr_t)registers->uc_mcontext.sp;
#endif
    return sp < low + page && low - sp < 64 * 1024 * 1024 && address + page >= sp && address < low + page;
}

static void on_fault(int number, siginfo_t *info, void *context) {
    const cf_fiber *fiber = cf_current_fiber;
    if (fiber != NULL && info->si_code > 0 && is_overflow(fiber, (uintptr_t)info->si_addr, context)) {
        tell(fiber);
        abort();
    }
    if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(number, info, context);
    } else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
        // The instruction faults again on return, and the process dies of it, with a core; a signal that was sent is
        // sent again.
        signal(number, SIG_DFL);
        if (info->si_code <= 0) {
            raise(number);
        }
    } else {
        previous.sa_handler(number);
    }
}

static void install(void) {
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &previous);
}

int cf_report_overflows(void) {
#ifdef CF_ASAN
    (void)once;
    (void)install;
    return 0;
#else
    pthread_once(&once, install);
    return 1;
#endif
}

void cf_fiber_label(cf_fiber *fiber, uint64_t id, const char *file, uint32_t line, const char *name) {
    fiber->label_id = id;
    fiber->label_file = file;
    fiber->label_line = line;
    if (name == NULL) {
        fiber->label_name[0] = 0;
        return;
    }
    size_t length = strnlen(name, sizeof fiber->label_name - 1);
    memcpy(fiber->label_name, name, length);
    fiber->label_name[length] = 0;
}
