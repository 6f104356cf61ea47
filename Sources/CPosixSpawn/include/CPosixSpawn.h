#pragma once

#include <stddef.h>
#include <sys/types.h>

// What LocalPostgres needs of Linux and cannot reach from Swift: glibc declares these functions only under
// _GNU_SOURCE, which Swift's Glibc module does not define. Every function returns 0 (or a descriptor) or
// -errno; none is cancellable, all may be called from any thread.

/// Starts `path` in a new session with working directory `directory`. `descriptors[i]` becomes descriptor `i`
/// of the child (-1: /dev/null) and nothing else is inherited; signals are unblocked and at their defaults.
int cposixspawn_start(pid_t *pid, const char *path, char *const arguments[], char *const environment[],
                      const char *directory, const int descriptors[], int count);

/// A pipe whose ends no other child inherits: `ends[0]` reads, `ends[1]` writes.
int cposixspawn_pipe(int ends[2]);

/// An unnamed file in memory, close-on-exec; returns its descriptor.
int cposixspawn_memory_file(const char *name);
