#define _GNU_SOURCE

#include "CLinux.h"

#include <link.h>

__thread void **clinux_current_task_word = NULL;

/// Looks through the thread-local variables of one module for the word that holds the current task, and is what
/// swift_task_getCurrent reads: what is put there must come back.
static int look(struct dl_phdr_info *module, size_t size, void *task) {
    if (size < offsetof(struct dl_phdr_info, dlpi_tls_data) + sizeof module->dlpi_tls_data ||
        module->dlpi_tls_data == NULL) {
        return 0;  // it has none, or this thread has not used them
    }
    size_t words = 0;
    for (int i = 0; i < module->dlpi_phnum; i++) {
        if (module->dlpi_phdr[i].p_type == PT_TLS) {
            words = module->dlpi_phdr[i].p_memsz / sizeof(void *);
        }
    }
    void *volatile *word = module->dlpi_tls_data;
    for (; words > 0; words--, word++) {
        if (*word != task) {
            continue;
        }
        int probe;
        *word = &probe;
        int is_found = swift_task_getCurrent() == (void *)&probe;
        *word = task;
        if (is_found) {
            clinux_current_task_word = (void **)word;
            return 1;
        }
    }
    return 0;
}

void clinux_find_current_task_word(void) {
    void *task = swift_task_getCurrent();
    if (clinux_current_task_word == NULL && task != NULL) {
        dl_iterate_phdr(look, task);
    }
}
