#define _GNU_SOURCE
#include "CReactorPreload.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static crp_main_function *program;

static int crp_on_start(int argc, char **argv, char **environment) {
    // Programs that this one starts are their own affair.
    unsetenv("LD_PRELOAD");
    return crp_main(program, argc, argv, environment);
}

/// Before any constructor of the program has run; of libraries, all have.
__attribute__((visibility("default"))) int __libc_start_main(
    crp_main_function *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
    void (*loader_fini)(void), void *stack_end) {
    int (*original)(
        crp_main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *) =
        (__typeof__(original))dlsym(RTLD_NEXT, "__libc_start_main");
    if (original == NULL) {
        static const char message[] = "reactor-run: this libc has no __libc_start_main\n";
        ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
        (void)written;
        _exit(127);
    }
    program = main;
    return original(crp_on_start, argc, argv, init, fini, loader_fini, stack_end);
}
