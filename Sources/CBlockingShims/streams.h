// stdio on a fiber: what the input half (input.c) and the output half (output.c) share.
//
// glibc's stdio reads and writes by internal calls that cannot be interposed. So a shim lets the original do only what
// needs no waiting: take bytes that are in a stream's buffer, put bytes where there is room, read once when there is
// something to read. All waiting is done here, between those steps.
//
// The stream's own lock belongs to the thread and is recursive, so it keeps fibers of one thread apart no more than it
// may be held across a park, where it would stop other threads. It is held for single steps, and taken by trying, so
// that a thread that holds it, perhaps blocked in a read, does not block the loop. A call that has to park owns the
// stream meanwhile: calls of other fibers wait for its end, hence are whole among each other. Calls of threads without
// fibers, which do not know of owners, may come between its steps.
#pragma once

#include "dispatch.h"

#include <stdio_ext.h>

/// One call on a stream.
typedef struct cbs_stream {
    const cbs_hook_table *hooks;  ///< of the fiber
    FILE *file;                   ///< the stream
    int is_locked;                ///< its lock is held
    int is_owner;                 ///< in the list of owners
    struct cbs_stream *next;      ///< in that list
} cbs_stream;

/// Begins a call: waits while another fiber owns the stream or a thread has locked it. Returns 0, or −1 with errno.
__attribute__((visibility("hidden"))) int cbs_stream_enter(
    cbs_stream *stream, const cbs_hook_table *hooks, FILE *file);

/// Ends a call.
__attribute__((visibility("hidden"))) void cbs_stream_leave(cbs_stream *stream);

/// Lets go of the lock for a park; other fibers keep away. `cbs_stream_resume` takes it back: 0, or −errno when the
/// fiber has ended and somebody has the lock.
__attribute__((visibility("hidden"))) void cbs_stream_suspend(cbs_stream *stream);
__attribute__((visibility("hidden"))) int cbs_stream_resume(cbs_stream *stream);

/// Whether reading and writing may wait for somebody: a pipe, socket, terminal, …, in blocking mode. Fills `patience`.
__attribute__((visibility("hidden"))) int cbs_stream_waits(FILE *file, cbs_patience *patience);

/// Writes what is buffered. Returns 0 or −errno, the stream's error flag set.
__attribute__((visibility("hidden"))) int cbs_stream_drain(cbs_stream *stream);

/// Writes `size` bytes past the buffer, which is empty. Returns 0 or −errno.
__attribute__((visibility("hidden"))) int cbs_stream_write(cbs_stream *stream, const char *bytes, size_t size);

/// Closes a stream; what is buffered is written first. Returns fclose's result, with errno.
__attribute__((visibility("hidden"))) int cbs_stream_close(const cbs_hook_table *hooks, FILE *file);

static inline size_t cbs_stream_pending(const FILE *file) {
    return file->_IO_write_ptr > file->_IO_write_base ? (size_t)(file->_IO_write_ptr - file->_IO_write_base) : 0;
}
