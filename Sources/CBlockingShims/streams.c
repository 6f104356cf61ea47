// See streams.h.
#define CBS_AREA CBS_AREA_stdio
#include "streams.h"

#include <pthread.h>
#include <stdatomic.h>

#include "forks.h"
#include "lock.h"
#include "shell.h"

// MARK: Owners

static cbs_lock lock = CBS_LOCK;               // for `owners`
static _Atomic(cbs_stream *) owners = NULL;  // calls that are parked or were; each lies on its fiber's stack

static int cbs_is_owned(FILE *file) {
    if (CBS_LIKELY(atomic_load_explicit(&owners, memory_order_relaxed) == NULL)) {
        return 0;
    }
    cbs_lock_take(&lock);
    cbs_stream *owner = owners;
    while (owner != NULL && owner->file != file) {
        owner = owner->next;
    }
    cbs_lock_give(&lock);
    return owner != NULL;
}

static void cbs_own(cbs_stream *stream) {
    if (!stream->is_owner) {
        cbs_lock_take(&lock);
        stream->next = owners;
        owners = stream;
        cbs_lock_give(&lock);
        stream->is_owner = 1;
    }
}

static void cbs_disown(cbs_stream *stream) {
    if (stream->is_owner) {
        cbs_lock_take(&lock);
        cbs_stream *previous = NULL;
        for (cbs_stream *owner = owners; owner != stream; owner = owner->next) {
            previous = owner;
        }
        if (previous == NULL) {
            owners = stream->next;
        } else {
            previous->next = stream->next;
        }
        cbs_lock_give(&lock);
        stream->is_owner = 0;
    }
}

/// In the child of a fork the parent's fibers own nothing; glibc gives its streams fresh locks.
void cbs_streams_forked(void) {
    owners = NULL;
    cbs_lock_give(&lock);
}

// MARK: A call

/// Takes the stream's lock. Nobody tells when a stream is free, so it is tried after naps.
static int cbs_stream_lock(cbs_stream *stream, int is_new) {
    int64_t nap = CBS_MILLISECOND;
    for (;;) {
        // Locked before the owners are looked at: whoever owns the stream next must have its lock first.
        if (ftrylockfile(stream->file) == 0) {
            if (!is_new || !cbs_is_owned(stream->file)) {
                stream->is_locked = 1;
                return 0;
            }
            funlockfile(stream->file);
        }
        int result = cbs_sleep_until(stream->hooks, cbs_deadline(nap));
        if (result < 0) {
            return result;
        }
        nap = nap < 16 * CBS_MILLISECOND ? nap * 2 : nap;
    }
}

int cbs_stream_enter(cbs_stream *stream, const cbs_hook_table *hooks, FILE *file) {
    *stream = (cbs_stream){.hooks = hooks, .file = file};
    int result = cbs_stream_lock(stream, 1);
    if (result < 0) {
        errno = -result;
        return -1;
    }
    return 0;
}

void cbs_stream_leave(cbs_stream *stream) {
    cbs_disown(stream);
    if (stream->is_locked) {
        stream->is_locked = 0;
        funlockfile(stream->file);
    }
}

void cbs_stream_suspend(cbs_stream *stream) {
    cbs_own(stream);
    stream->is_locked = 0;
    funlockfile(stream->file);
}

int cbs_stream_resume(cbs_stream *stream) { return cbs_stream_lock(stream, 0); }

// MARK: Waiting

int cbs_stream_waits(FILE *file, cbs_patience *patience) {
    // Streams without a file (open_memstream, fopencookie) have no descriptor, wide ones functions of their own.
    if (file->_fileno < 0 || file->_mode > 0) {
        return 0;
    }
    switch (cbs_kind_of(file->_fileno, patience)) {
    case CBS_PASS_THROUGH:
    case CBS_FILE:
        return 0;
    default:
        return cbs_is_blocking(file->_fileno, patience);
    }
}

int cbs_stream_write(cbs_stream *stream, const char *bytes, size_t size) {
    int fd = stream->file->_fileno;
    int saved = errno;
    int error = 0;
    cbs_stream_suspend(stream);
    while (size > 0 && error == 0) {
        // Less than all was written because something stopped the rest: the next attempt says what.
        ssize_t written = cbs_write(stream->hooks, fd, bytes, size);
        error = written < 0 ? errno : written == 0 ? EIO : 0;
        bytes += written < 0 ? 0 : written;
        size -= written < 0 ? 0 : (size_t)written;
    }
    int resumed = cbs_stream_resume(stream);
    if (resumed == 0 && error != 0) {
        stream->file->_flags |= _IO_ERR_SEEN;
    }
    errno = saved;
    return error != 0 ? -error : resumed;
}

int cbs_stream_drain(cbs_stream *stream) {
    FILE *file = stream->file;
    size_t size = cbs_stream_pending(file);
    if (size == 0) {
        return 0;
    }
    // A copy, and the buffer emptied: without the lock others may flush it. Like glibc after a write that fails, nothing
    // puts back what could not be written.
    char *copy = malloc(size);
    if (copy == NULL) {
        return -ENOMEM;
    }
    memcpy(copy, file->_IO_write_base, size);
    __fpurge(file);
    int result = cbs_stream_write(stream, copy, size);
    free(copy);
    return result;
}

// MARK: Closing

/// Writes what is buffered, and announces that the descriptor is about to be closed. Returns 0 or −errno.
static int prepare_close(const cbs_hook_table *hooks, FILE *file) {
    cbs_patience patience = CBS_PATIENCE(0);
    int error = 0;
    cbs_stream stream;
    // A closed stream is nobody else's, so it is not worth waiting for one that is in use.
    if (cbs_stream_pending(file) > 0 && cbs_stream_waits(file, &patience)
        && cbs_stream_enter(&stream, hooks, file) == 0) {
        error = -cbs_stream_drain(&stream);
        cbs_stream_leave(&stream);
    }
    if (file->_fileno >= 0) {
        cbs_will_close(hooks, file->_fileno);
    }
    return -error;
}

int cbs_stream_close(const cbs_hook_table *hooks, FILE *file) {
    int saved = errno;
    int error = -prepare_close(hooks, file);
    int result = CBS_REAL(fclose)(file);
    if (result == 0) {
        errno = error != 0 ? error : saved;
    }
    return error != 0 ? EOF : result;
}

/// Announces, off fibers, that a stream's descriptor is about to be closed.
static inline void cbs_closing_stream(FILE *file) {
    if (!CBS_LIKELY(clinux_close_listeners == 0)) {
        cbs_hear_close(CBS_AREA, file->_fileno, file->_fileno);
    }
}

int cbs_shim_fclose(FILE *file) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    int result;
    if (cbs_process_close(hooks, file, &result)) {
        return result;  // a stream of popen: glibc's fclose waits for the command, too
    }
    if (CBS_LIKELY(hooks == NULL)) {
        cbs_closing_stream(file);
        return CBS_REAL(fclose)(file);
    }
    return cbs_stream_close(hooks, file);
}

// The stream's descriptor is closed, or means another file, whether the new one can be opened or not.

static CBS_SLOW void prepare_reopen(const cbs_hook_table *hooks, FILE *file) {
    int saved = errno;
    prepare_close(hooks, file);  // what cannot be written is lost, as in the original
    errno = saved;
}

FILE *cbs_shim_freopen(const char *path, const char *mode, FILE *file) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        cbs_closing_stream(file);
    } else {
        prepare_reopen(hooks, file);
    }
    return CBS_REAL(freopen)(path, mode, file);
}

FILE *cbs_shim_freopen64(const char *path, const char *mode, FILE *file) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        cbs_closing_stream(file);
    } else {
        prepare_reopen(hooks, file);
    }
    return CBS_REAL(freopen64)(path, mode, file);
}
