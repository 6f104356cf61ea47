// What libraries do and Swift cannot: make a child with vfork(2), which returns twice into one frame, and call what glibc exports
// for the checks of _FORTIFY_SOURCE, or under a second name, with a list of arguments.
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <sys/types.h>

int _IO_vfprintf(FILE *file, const char *format, va_list arguments);
int __vfprintf_chk(FILE *file, int flag, const char *format, va_list arguments);
int __vprintf_chk(int flag, const char *format, va_list arguments);
int __vdprintf_chk(int fd, int flag, const char *format, va_list arguments);

/// The functions that make a child.
enum cforeign_way {
    CFOREIGN_FORK,
    CFOREIGN_VFORK,
    CFOREIGN_SECOND_VFORK,  ///< __vfork
    CFOREIGN_FORK_ALONE,    ///< _Fork
};

/// What the child finds and does before its end.
typedef struct cforeign_steps {
    int closed;          ///< descriptor that it closes
    int replaced;        ///< descriptor that it makes one of /dev/null
    volatile int *mark;  ///< what it sets to 1 in its memory
} cforeign_steps;

/// Makes a child that closes, opens and replaces descriptors, and ends with status 7 when all of it went well, with another
/// when not. Returns its number, or −1.
pid_t cforeign_child(enum cforeign_way way, const cforeign_steps *steps);
