// fwrite, fputs, putc, printf, fflush and relatives on a stream whose descriptor may be full.
//
// Where there is room in the stream's buffer the original puts the bytes there. Where there is none the buffer is written
// from here and emptied, and what is to go out at once (a line, all of an unbuffered stream, more than a buffer) is
// written from here as well. glibc must not write by itself: it would block, and a write that is cut short by O_NONBLOCK
// makes it drop the rest.
//
// printf's family formats into memory first; the text goes the same way. The wide-character functions are not here.
#define CBS_AREA CBS_AREA_stdio
#include "streams.h"

#include <stdarg.h>

/// Of fortified programs; <bits/stdio2.h> declares it only for them.
extern int __vasprintf_chk(char **text, int flag, const char *format, va_list arguments);

/// Puts `bytes` in or through the buffer. Returns how many it took; if not all, errno says why.
static size_t cbs_put(cbs_stream *stream, const char *bytes, size_t size) {
    FILE *file = stream->file;
    cbs_patience patience = CBS_PATIENCE(SO_SNDTIMEO);
    // By line the end of the put area is where it begins, so that all that comes is looked at.
    int has_room = !__flbf(file) && file->_IO_write_end > file->_IO_write_ptr
        && (size_t)(file->_IO_write_end - file->_IO_write_ptr) >= size;
    if (has_room || !cbs_stream_waits(file, &patience)) {
        return CBS_REAL(fwrite_unlocked)(bytes, 1, size, file);
    }
    int result = cbs_stream_drain(stream);
    if (result < 0) {
        errno = -result;
        return 0;
    }
    // Makes the buffer of a new stream and turns one that was read from; there is nothing to write in it.
    if (CBS_REAL(__overflow)(file, EOF) == EOF) {
        return 0;
    }
    size_t capacity = __fbufsize(file);
    size_t kept = capacity <= 1 || size >= capacity ? 0 : size;
    if (kept > 0 && __flbf(file)) {
        const char *end = memrchr(bytes, '\n', size);
        kept = end == NULL ? size : (size_t)(bytes + size - (end + 1));
    }
    if (kept < size) {
        result = cbs_stream_write(stream, bytes, size - kept);
        if (result < 0) {
            errno = -result;
            return 0;
        }
    }
    return kept == 0 ? size : size - kept + CBS_REAL(fwrite_unlocked)(bytes + size - kept, 1, kept, file);
}

/// A whole call. Returns how many bytes were taken.
static CBS_SLOW size_t cbs_put_all(const cbs_hook_table *hooks, const void *bytes, size_t size, FILE *file) {
    cbs_stream stream;
    if (size == 0 || cbs_stream_enter(&stream, hooks, file) != 0) {
        return 0;
    }
    size_t done = cbs_put(&stream, bytes, size);
    cbs_stream_leave(&stream);
    return done;
}

static CBS_SLOW size_t cbs_fwrite(
    const cbs_hook_table *hooks, const void *from, size_t size, size_t count, FILE *file) {
    size_t done = cbs_put_all(hooks, from, size * count, file);
    return done == size * count ? (done == 0 ? 0 : count) : done / size;
}

static CBS_SLOW int cbs_fputs(const cbs_hook_table *hooks, const char *text, FILE *file) {
    size_t size = strlen(text);
    return cbs_put_all(hooks, text, size, file) == size ? 1 : EOF;
}

static CBS_SLOW int cbs_putc(const cbs_hook_table *hooks, int byte, FILE *file) {
    char one = (char)byte;
    return cbs_put_all(hooks, &one, 1, file) == 1 ? (unsigned char)byte : EOF;
}

/// Text and a new line, with nobody's in between.
static CBS_SLOW int cbs_puts(const cbs_hook_table *hooks, const char *text) {
    size_t size = strlen(text);
    cbs_stream stream;
    if (cbs_stream_enter(&stream, hooks, stdout) != 0) {
        return EOF;
    }
    int is_whole = (size == 0 || cbs_put(&stream, text, size) == size) && cbs_put(&stream, "\n", 1) == 1;
    cbs_stream_leave(&stream);
    return !is_whole ? EOF : size >= INT_MAX ? INT_MAX : (int)size + 1;
}

static CBS_SLOW int cbs_fflush(const cbs_hook_table *hooks, FILE *file) {
    cbs_patience patience = CBS_PATIENCE(0);
    if (cbs_stream_pending(file) > 0 && cbs_stream_waits(file, &patience)) {
        cbs_stream stream;
        if (cbs_stream_enter(&stream, hooks, file) != 0) {
            return EOF;
        }
        int result = cbs_stream_drain(&stream);
        cbs_stream_leave(&stream);
        if (result < 0) {
            errno = -result;
            return EOF;
        }
    }
    return CBS_REAL(fflush)(file);
}

// MARK: Formats

/// Writes a text that has been made, and frees it. `size` is negative when it could not be made.
static int cbs_put_text(const cbs_hook_table *hooks, FILE *file, char *text, int size) {
    if (size < 0) {
        return size;
    }
    int is_whole = cbs_put_all(hooks, text, (size_t)size, file) == (size_t)size;
    int error = errno;
    free(text);
    errno = error;
    return is_whole ? size : -1;
}

static int cbs_write_text(const cbs_hook_table *hooks, int fd, char *text, int size) {
    if (size <= 0) {
        return size;
    }
    ssize_t written = cbs_write(hooks, fd, text, (size_t)size);
    int error = errno;
    free(text);
    errno = error;
    return written == size ? size : -1;
}

static CBS_SLOW int cbs_vfprintf(const cbs_hook_table *hooks, FILE *file, const char *format, va_list arguments) {
    cbs_patience patience = CBS_PATIENCE(0);
    if (!cbs_stream_waits(file, &patience)) {
        return CBS_REAL(vfprintf)(file, format, arguments);
    }
    char *text;
    int size = vasprintf(&text, format, arguments);
    return cbs_put_text(hooks, file, text, size);
}

static CBS_SLOW int cbs_vfprintf_chk(
    const cbs_hook_table *hooks, FILE *file, int flag, const char *format, va_list arguments) {
    cbs_patience patience = CBS_PATIENCE(0);
    if (!cbs_stream_waits(file, &patience)) {
        return CBS_REAL(__vfprintf_chk)(file, flag, format, arguments);
    }
    char *text;
    int size = __vasprintf_chk(&text, flag, format, arguments);
    return cbs_put_text(hooks, file, text, size);
}

static CBS_SLOW int cbs_vdprintf(const cbs_hook_table *hooks, int fd, const char *format, va_list arguments) {
    char *text;
    int size = vasprintf(&text, format, arguments);
    return cbs_write_text(hooks, fd, text, size);
}

static CBS_SLOW int cbs_vdprintf_chk(
    const cbs_hook_table *hooks, int fd, int flag, const char *format, va_list arguments) {
    char *text;
    int size = __vasprintf_chk(&text, flag, format, arguments);
    return cbs_write_text(hooks, fd, text, size);
}

// MARK: Shims

#define CBS_PASS(name, ...)                                   \
    const cbs_hook_table *hooks = cbs_current_hooks();        \
    if (CBS_LIKELY(hooks == NULL)) {                          \
        return CBS_REAL(name)(__VA_ARGS__);                   \
    }

size_t cbs_shim_fwrite(const void *from, size_t size, size_t count, FILE *file) {
    CBS_PASS(fwrite, from, size, count, file)
    return cbs_fwrite(hooks, from, size, count, file);
}

size_t cbs_shim_fwrite_unlocked(const void *from, size_t size, size_t count, FILE *file) {
    CBS_PASS(fwrite_unlocked, from, size, count, file)
    return cbs_fwrite(hooks, from, size, count, file);
}

int cbs_shim_fputs(const char *text, FILE *file) {
    CBS_PASS(fputs, text, file)
    return cbs_fputs(hooks, text, file);
}

int cbs_shim_fputs_unlocked(const char *text, FILE *file) {
    CBS_PASS(fputs_unlocked, text, file)
    return cbs_fputs(hooks, text, file);
}

#define CBS_PUTC(name)                                        \
    int cbs_shim_##name(int byte, FILE *file) {               \
        CBS_PASS(name, byte, file)                            \
        return cbs_putc(hooks, byte, file);                   \
    }

CBS_PUTC(fputc)
CBS_PUTC(putc)
CBS_PUTC(_IO_putc)
CBS_PUTC(fputc_unlocked)
CBS_PUTC(putc_unlocked)

int cbs_shim___overflow(FILE *file, int byte) {
    CBS_PASS(__overflow, file, byte)
    return byte == EOF ? cbs_fflush(hooks, file) : cbs_putc(hooks, byte, file);
}

int cbs_shim_putchar(int byte) {
    CBS_PASS(putchar, byte)
    return cbs_putc(hooks, byte, stdout);
}

int cbs_shim_putchar_unlocked(int byte) {
    CBS_PASS(putchar_unlocked, byte)
    return cbs_putc(hooks, byte, stdout);
}

int cbs_shim_puts(const char *text) {
    CBS_PASS(puts, text)
    return cbs_puts(hooks, text);
}

int cbs_shim_fflush(FILE *file) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) || file == NULL ? CBS_REAL(fflush)(file) : cbs_fflush(hooks, file);
}

int cbs_shim_fflush_unlocked(FILE *file) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) || file == NULL ? CBS_REAL(fflush_unlocked)(file) : cbs_fflush(hooks, file);
}

int cbs_shim_vfprintf(FILE *file, const char *format, va_list arguments) {
    CBS_PASS(vfprintf, file, format, arguments)
    return cbs_vfprintf(hooks, file, format, arguments);
}

int cbs_shim_vprintf(const char *format, va_list arguments) { return cbs_shim_vfprintf(stdout, format, arguments); }

int cbs_shim___vfprintf_chk(FILE *file, int flag, const char *format, va_list arguments) {
    CBS_PASS(__vfprintf_chk, file, flag, format, arguments)
    return cbs_vfprintf_chk(hooks, file, flag, format, arguments);
}

int cbs_shim___vprintf_chk(int flag, const char *format, va_list arguments) {
    return cbs_shim___vfprintf_chk(stdout, flag, format, arguments);
}

int cbs_shim_vdprintf(int fd, const char *format, va_list arguments) {
    CBS_PASS(vdprintf, fd, format, arguments)
    return cbs_vdprintf(hooks, fd, format, arguments);
}

int cbs_shim___vdprintf_chk(int fd, int flag, const char *format, va_list arguments) {
    CBS_PASS(__vdprintf_chk, fd, flag, format, arguments)
    return cbs_vdprintf_chk(hooks, fd, flag, format, arguments);
}

/// The forms with `...`, by those with a list.
#define CBS_FORMATTED(call)             \
    ({                                  \
        va_list list;                   \
        va_start(list, format);         \
        int size_ = (call);             \
        va_end(list);                   \
        size_;                          \
    })

int cbs_shim_fprintf(FILE *file, const char *format, ...) {
    return CBS_FORMATTED(cbs_shim_vfprintf(file, format, list));
}

int cbs_shim_printf(const char *format, ...) { return CBS_FORMATTED(cbs_shim_vfprintf(stdout, format, list)); }

int cbs_shim___fprintf_chk(FILE *file, int flag, const char *format, ...) {
    return CBS_FORMATTED(cbs_shim___vfprintf_chk(file, flag, format, list));
}

int cbs_shim___printf_chk(int flag, const char *format, ...) {
    return CBS_FORMATTED(cbs_shim___vfprintf_chk(stdout, flag, format, list));
}

int cbs_shim_dprintf(int fd, const char *format, ...) {
    return CBS_FORMATTED(cbs_shim_vdprintf(fd, format, list));
}

int cbs_shim___dprintf_chk(int fd, int flag, const char *format, ...) {
    return CBS_FORMATTED(cbs_shim___vdprintf_chk(fd, flag, format, list));
}
