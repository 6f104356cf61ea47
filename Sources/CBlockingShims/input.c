// fread, fgets, getc, getline and relatives on a stream whose descriptor may have nothing to read yet.
//
// One step is glibc's `__underflow`: it reads once, as much as is there, into the stream's empty buffer. What is asked
// for is then taken from the buffer, by the original where it cannot wait. Before the step the descriptor is readable;
// and since another process may be faster, a pipe or socket is in O_NONBLOCK mode for that one read, as in connect.c. A
// terminal is not, it is shared with shells; neither is a stream whose reading flushes stdout (unbuffered, by line), as
// both may be one file.
//
// fscanf and its family are not here: they parse while they read, push back, and keep their state inside glibc, so they
// cannot be resumed from outside. The wide-character functions are not, either.
#define CBS_AREA CBS_AREA_stdio
#include "streams.h"

/// Whether the calling stream reads from the place where ungetc puts what does not fit. The value is part of glibc's ABI,
/// as macros of old programs used it.
#define CBS_IN_BACKUP 0x0100

static size_t cbs_available(const FILE *file) { return (size_t)(file->_IO_read_end - file->_IO_read_ptr); }

/// One read(2) into the empty buffer. Returns 1 when there are bytes, 0 at the end or after an error, or −EAGAIN.
static int cbs_step(FILE *file, int is_guarded) {
    int had_error = ferror_unlocked(file);
    int saved = errno;
    int flags = is_guarded ? fcntl(file->_fileno, F_GETFL) : 0;
    if (is_guarded) {
        fcntl(file->_fileno, F_SETFL, flags | O_NONBLOCK);
    }
    errno = 0;
    int byte = CBS_REAL(__underflow)(file);
    int error = errno;
    if (is_guarded) {
        fcntl(file->_fileno, F_SETFL, flags);
    }
    if (byte != EOF) {
        errno = saved;
        return 1;
    }
    if (is_guarded && error == EAGAIN && !had_error && ferror_unlocked(file)) {
        file->_flags &= ~_IO_ERR_SEEN;
        errno = saved;
        return -EAGAIN;
    }
    errno = error != 0 ? error : saved;
    return 0;
}

/// Sees to it that there are bytes in the buffer; parks. Returns 1, 0 at the end or after an error, −errno when the wait
/// failed: the error flag is set then.
static int cbs_fill(cbs_stream *stream) {
    FILE *file = stream->file;
    cbs_patience patience = CBS_PATIENCE(SO_RCVTIMEO);
    for (;;) {
        if (cbs_available(file) > 0) {
            return 1;
        }
        int has_more = (file->_flags & CBS_IN_BACKUP) != 0 && file->_IO_save_end > file->_IO_save_base;
        if (has_more || feof_unlocked(file) || !cbs_stream_waits(file, &patience)) {
            return cbs_step(file, 0);
        }
        int result = cbs_stream_drain(stream);  // a stream of both directions
        if (result < 0) {
            return result;
        }
        struct pollfd one = {.fd = file->_fileno, .events = POLLIN};
        int saved = errno;
        int is_ready = CBS_REAL(poll)(&one, 1, 0) != 0;
        errno = saved;
        if (is_ready) {
            int is_guarded = !isatty(file->_fileno) && !__flbf(file) && __fbufsize(file) != 1;
            errno = saved;
            result = cbs_step(file, is_guarded);
            if (result >= 0) {
                return result;
            }
        }
        cbs_stream_suspend(stream);
        result = cbs_await(stream->hooks, file->_fileno, POLLIN, &patience);
        int resumed = cbs_stream_resume(stream);
        if (result < 0 || resumed < 0) {
            if (resumed == 0) {
                file->_flags |= _IO_ERR_SEEN;
            }
            return result < 0 ? result : resumed;
        }
    }
}

/// Takes `size` bytes that are in the buffer.
static void cbs_take(FILE *file, char *to, size_t size) { CBS_REAL(fread_unlocked)(to, 1, size, file); }

/// Sets errno for a fill that failed; others have set it.
static void cbs_note(int result) {
    if (result < 0) {
        errno = -result;
    }
}

// MARK: Blocks

/// Reads past the empty buffer, as glibc does with what is larger than it. Returns as `cbs_fill`, and how many bytes.
static int cbs_fill_directly(cbs_stream *stream, char *to, size_t size, size_t *count) {
    cbs_stream_suspend(stream);
    int saved = errno;
    ssize_t received = cbs_read(stream->hooks, stream->file->_fileno, to, size);
    int error = errno;
    int resumed = cbs_stream_resume(stream);
    *count = received > 0 ? (size_t)received : 0;
    errno = received < 0 ? error : saved;
    if (resumed < 0) {
        return resumed;
    }
    if (received <= 0) {
        stream->file->_flags |= received == 0 ? _IO_EOF_SEEN : _IO_ERR_SEEN;
    }
    return received > 0;
}

static CBS_SLOW size_t cbs_fread(
    const cbs_hook_table *hooks, char *to, size_t size, size_t count, FILE *file) {
    size_t wanted = size * count;
    cbs_stream stream;
    if (wanted == 0 || cbs_stream_enter(&stream, hooks, file) != 0) {
        return 0;
    }
    size_t done = 0;
    while (done < wanted) {
        size_t left = wanted - done;
        size_t available = cbs_available(file);
        if (available > 0) {
            size_t taken = available < left ? available : left;
            cbs_take(file, to + done, taken);
            done += taken;
            continue;
        }
        cbs_patience patience = CBS_PATIENCE(0);
        size_t received = 0;
        int is_large = left >= 4096 && left >= __fbufsize(file) && (file->_flags & CBS_IN_BACKUP) == 0
            && cbs_stream_pending(file) == 0 && !feof_unlocked(file) && cbs_stream_waits(file, &patience);
        int result = is_large ? cbs_fill_directly(&stream, to + done, left, &received) : cbs_fill(&stream);
        done += received;
        if (result <= 0) {
            cbs_note(result);
            break;
        }
    }
    cbs_stream_leave(&stream);
    return done == wanted ? count : done / size;
}

// MARK: Bytes

enum cbs_taking { CBS_TAKE, CBS_LOOK };

static CBS_SLOW int cbs_getc(const cbs_hook_table *hooks, FILE *file, enum cbs_taking taking) {
    cbs_stream stream;
    if (cbs_stream_enter(&stream, hooks, file) != 0) {
        return EOF;
    }
    int result = cbs_fill(&stream);
    cbs_note(result);
    int byte = result <= 0 ? EOF : taking == CBS_TAKE ? CBS_REAL(getc_unlocked)(file) : CBS_REAL(__underflow)(file);
    cbs_stream_leave(&stream);
    return byte;
}

// MARK: Lines

static CBS_SLOW char *cbs_fgets(const cbs_hook_table *hooks, char *to, int size, FILE *file) {
    cbs_stream stream;
    if (size <= 1 || cbs_stream_enter(&stream, hooks, file) != 0) {
        if (size == 1) {
            to[0] = '\0';
        }
        return size == 1 ? to : NULL;
    }
    int had_error = file->_flags & _IO_ERR_SEEN;  // only an error of this call counts
    file->_flags &= ~_IO_ERR_SEEN;
    size_t room = (size_t)size - 1;
    size_t done = 0;
    int is_line = 0;
    int result = 1;
    while (done < room && !is_line && (result = cbs_fill(&stream)) > 0) {
        size_t available = cbs_available(file);
        size_t taken = available < room - done ? available : room - done;
        const char *end = memchr(file->_IO_read_ptr, '\n', taken);
        is_line = end != NULL;
        taken = is_line ? (size_t)(end + 1 - file->_IO_read_ptr) : taken;
        cbs_take(file, to + done, taken);
        done += taken;
    }
    // What a socket's time-out cuts off is given out, as glibc does; what came before another error is not.
    int has_failed = result < 0 ? result != -EAGAIN : ferror_unlocked(file) && errno != EAGAIN;
    if (stream.is_locked) {
        file->_flags |= had_error;
    }
    cbs_note(result);
    cbs_stream_leave(&stream);
    if (done == 0 || has_failed) {
        return NULL;
    }
    to[done] = '\0';
    return to;
}

static CBS_SLOW ssize_t cbs_getdelim(
    const cbs_hook_table *hooks, char **line, size_t *capacity, int delimiter, FILE *file) {
    if (line == NULL || capacity == NULL) {
        errno = EINVAL;
        return -1;
    }
    cbs_stream stream;
    if (cbs_stream_enter(&stream, hooks, file) != 0) {
        return -1;
    }
    size_t done = 0;
    int is_line = 0;
    int result = 1;
    while (!is_line && (result = cbs_fill(&stream)) > 0) {
        size_t taken = cbs_available(file);
        const char *end = memchr(file->_IO_read_ptr, delimiter, taken);
        is_line = end != NULL;
        taken = is_line ? (size_t)(end + 1 - file->_IO_read_ptr) : taken;
        size_t needed = done + taken + 1;
        if (*line == NULL || *capacity < needed) {
            size_t larger = *line == NULL ? 120 : *capacity * 2;
            larger = larger < needed ? needed : larger;
            char *text = needed > SSIZE_MAX ? NULL : realloc(*line, larger);
            if (text == NULL) {
                result = needed > SSIZE_MAX ? -EOVERFLOW : -ENOMEM;
                done = 0;
                break;
            }
            *line = text;
            *capacity = larger;
        }
        cbs_take(file, *line + done, taken);
        done += taken;
    }
    cbs_note(result);
    cbs_stream_leave(&stream);
    if (done == 0) {
        return -1;
    }
    (*line)[done] = '\0';
    return (ssize_t)done;
}

// MARK: Shims

#define CBS_PASS(name, ...)                                   \
    const cbs_hook_table *hooks = cbs_current_hooks();        \
    if (CBS_LIKELY(hooks == NULL)) {                          \
        return CBS_REAL(name)(__VA_ARGS__);                   \
    }

size_t cbs_shim_fread(void *to, size_t size, size_t count, FILE *file) {
    CBS_PASS(fread, to, size, count, file)
    return cbs_fread(hooks, to, size, count, file);
}

size_t cbs_shim_fread_unlocked(void *to, size_t size, size_t count, FILE *file) {
    CBS_PASS(fread_unlocked, to, size, count, file)
    return cbs_fread(hooks, to, size, count, file);
}

size_t cbs_shim___fread_chk(void *to, size_t capacity, size_t size, size_t count, FILE *file) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    size_t wanted;
    if (CBS_LIKELY(hooks == NULL) || __builtin_mul_overflow(size, count, &wanted) || wanted > capacity) {
        return CBS_REAL(__fread_chk)(to, capacity, size, count, file);  // it ends a process that overflows
    }
    return cbs_fread(hooks, to, size, count, file);
}

size_t cbs_shim___fread_unlocked_chk(void *to, size_t capacity, size_t size, size_t count, FILE *file) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    size_t wanted;
    if (CBS_LIKELY(hooks == NULL) || __builtin_mul_overflow(size, count, &wanted) || wanted > capacity) {
        return CBS_REAL(__fread_unlocked_chk)(to, capacity, size, count, file);
    }
    return cbs_fread(hooks, to, size, count, file);
}

char *cbs_shim_fgets(char *to, int size, FILE *file) {
    CBS_PASS(fgets, to, size, file)
    return cbs_fgets(hooks, to, size, file);
}

char *cbs_shim_fgets_unlocked(char *to, int size, FILE *file) {
    CBS_PASS(fgets_unlocked, to, size, file)
    return cbs_fgets(hooks, to, size, file);
}

char *cbs_shim___fgets_chk(char *to, size_t capacity, int size, FILE *file) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || (size > 0 && (size_t)size > capacity)) {
        return CBS_REAL(__fgets_chk)(to, capacity, size, file);
    }
    return cbs_fgets(hooks, to, size, file);
}

char *cbs_shim___fgets_unlocked_chk(char *to, size_t capacity, int size, FILE *file) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || (size > 0 && (size_t)size > capacity)) {
        return CBS_REAL(__fgets_unlocked_chk)(to, capacity, size, file);
    }
    return cbs_fgets(hooks, to, size, file);
}

#define CBS_GETC(name)                                        \
    int cbs_shim_##name(FILE *file) {                         \
        CBS_PASS(name, file)                                  \
        return cbs_getc(hooks, file, CBS_TAKE);               \
    }

CBS_GETC(fgetc)
CBS_GETC(getc)
CBS_GETC(_IO_getc)
CBS_GETC(fgetc_unlocked)
CBS_GETC(getc_unlocked)
CBS_GETC(__uflow)  // what getc_unlocked is in code that has it inlined, once the buffer is empty

int cbs_shim___underflow(FILE *file) {
    CBS_PASS(__underflow, file)
    return cbs_getc(hooks, file, CBS_LOOK);
}

int cbs_shim_getchar(void) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(getchar)() : cbs_getc(hooks, stdin, CBS_TAKE);
}

int cbs_shim_getchar_unlocked(void) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(getchar_unlocked)() : cbs_getc(hooks, stdin, CBS_TAKE);
}

ssize_t cbs_shim_getdelim(char **line, size_t *capacity, int delimiter, FILE *file) {
    CBS_PASS(getdelim, line, capacity, delimiter, file)
    return cbs_getdelim(hooks, line, capacity, delimiter, file);
}

ssize_t cbs_shim___getdelim(char **line, size_t *capacity, int delimiter, FILE *file) {
    CBS_PASS(__getdelim, line, capacity, delimiter, file)
    return cbs_getdelim(hooks, line, capacity, delimiter, file);
}

ssize_t cbs_shim_getline(char **line, size_t *capacity, FILE *file) {
    CBS_PASS(getline, line, capacity, file)
    return cbs_getdelim(hooks, line, capacity, '\n', file);
}
