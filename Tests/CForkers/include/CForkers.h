// Code in C that makes child processes, as the libraries have it that start programs: Swift cannot call vfork(2), which returns
// twice into one frame.
#pragma once

#include <sys/types.h>

/// The functions that make a child.
enum cforkers_way { CFORKERS_FORK, CFORKERS_VFORK, CFORKERS_FORK_ALONE };

/// What the child finds and does before its end.
typedef struct cforkers_steps {
    int closed;          ///< descriptor that it closes
    int replaced;        ///< descriptor that it makes one of /dev/null
    volatile int *mark;  ///< what it sets to 1 in its memory
} cforkers_steps;

/// Makes a child that closes, opens and replaces descriptors, and ends with status 7 when all of it went well, with another
/// when not. Returns its number, or −1.
pid_t cforkers_child(enum cforkers_way way, const cforkers_steps *steps);
