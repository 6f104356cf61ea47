// The one list of interposed functions. All else is made from it: the declarations of the shims, the pointers to
// libc's originals, the table that tests read, and the documentation of `BlockingShims`.
//
//     SHIM(symbol, area, result type, (parameters), "what it does on a fiber")
//
// glibc's internal calls do not go through its own exported symbols, so one public function never covers another:
// sleep(3) does not call our nanosleep(2). Each blocking entry point needs its own line, the checked variants that
// _FORTIFY_SOURCE makes callers use (`__poll_chk`, …) included. A second name of the same function (`__poll`) has its line
// in table-aliases.h.
//
// Not here, because it cannot work: fscanf's family and wide-character stdio (input.c says why).
#pragma once

#include "table-threads.h"

#define CBS_SHIMS(SHIM)                                                                                              \
    CBS_THREAD_SHIMS(SHIM)                                                                                           \
    CBS_JOIN_SHIMS(SHIM)                                                                                             \
    /* sleep.c */                                                                                                    \
    SHIM(sleep, timer, unsigned int, (unsigned int seconds), "parks on a timer")                                     \
    SHIM(usleep, timer, int, (useconds_t microseconds), "parks on a timer")                                          \
    SHIM(nanosleep, timer, int, (const struct timespec *duration, struct timespec *remaining), "parks on a timer")   \
    SHIM(clock_nanosleep, timer, int,                                                                                \
         (clockid_t clock, int flags, const struct timespec *request, struct timespec *remaining),                   \
         "parks on a timer; CPU-time clocks pass through")                                                           \
    SHIM(thrd_sleep, timer, int, (const struct timespec *duration, struct timespec *remaining),                      \
         "parks on a timer")                                                                                         \
    /* poll.c, select.c, epoll.c */                                                                                  \
    SHIM(poll, poll, int, (struct pollfd *fds, nfds_t count, int timeout),                                           \
         "parks until one is ready; a zero time-out yields")                                                         \
    SHIM(ppoll, poll, int,                                                                                           \
         (struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask),                   \
         "as poll; with a mask, signals are looked for every 50 ms")                                                 \
    SHIM(__poll_chk, poll, int, (struct pollfd *fds, nfds_t count, int timeout, size_t size), "as poll")             \
    SHIM(__ppoll_chk, poll, int,                                                                                     \
         (struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask, size_t size),      \
         "as ppoll")                                                                                                 \
    SHIM(select, poll, int,                                                                                          \
         (int count, fd_set *readable, fd_set *writable, fd_set *exceptional, struct timeval *timeout),              \
         "as poll; the time left is written back")                                                                   \
    SHIM(pselect, poll, int,                                                                                         \
         (int count, fd_set *readable, fd_set *writable, fd_set *exceptional, const struct timespec *timeout,        \
          const sigset_t *mask),                                                                                     \
         "as select; with a mask, signals are looked for every 50 ms")                                               \
    SHIM(epoll_wait, poll, int, (int epoll, struct epoll_event *events, int capacity, int timeout),                  \
         "parks until the epoll instance is readable")                                                               \
    SHIM(epoll_pwait, poll, int,                                                                                     \
         (int epoll, struct epoll_event *events, int capacity, int timeout, const sigset_t *mask),                   \
         "as epoll_wait; with a mask, signals are looked for every 50 ms")                                           \
    SHIM(epoll_pwait2, poll, int,                                                                                    \
         (int epoll, struct epoll_event *events, int capacity, const struct timespec *timeout,                       \
          const sigset_t *mask),                                                                                     \
         "as epoll_pwait")                                                                                           \
    /* connect.c */                                                                                                  \
    SHIM(connect, socket, int, (int fd, const struct sockaddr *address, socklen_t length),                           \
         "parks until the connection is made or refused")                                                            \
    SHIM(accept, socket, int, (int fd, struct sockaddr *address, socklen_t *length),                                 \
         "parks until a connection is waiting")                                                                      \
    SHIM(accept4, socket, int, (int fd, struct sockaddr *address, socklen_t *length, int flags), "as accept")        \
    /* receive.c, send.c */                                                                                          \
    SHIM(recv, socket, ssize_t, (int fd, void *buffer, size_t size, int flags), "parks until data is there")         \
    SHIM(recvfrom, socket, ssize_t,                                                                                  \
         (int fd, void *buffer, size_t size, int flags, struct sockaddr *address, socklen_t *length), "as recv")     \
    SHIM(recvmsg, socket, ssize_t, (int fd, struct msghdr *message, int flags), "as recv")                           \
    SHIM(__recv_chk, socket, ssize_t, (int fd, void *buffer, size_t size, size_t capacity, int flags), "as recv")    \
    SHIM(__recvfrom_chk, socket, ssize_t,                                                                            \
         (int fd, void *buffer, size_t size, size_t capacity, int flags, struct sockaddr *address,                   \
          socklen_t *length),                                                                                        \
         "as recv")                                                                                                  \
    SHIM(recvmmsg, socket, int,                                                                                      \
         (int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout), "as recv")     \
    SHIM(sendmmsg, socket, int, (int fd, struct mmsghdr *messages, unsigned int count, int flags), "as send")        \
    SHIM(send, socket, ssize_t, (int fd, const void *buffer, size_t size, int flags), "parks until all is sent")     \
    SHIM(sendto, socket, ssize_t,                                                                                    \
         (int fd, const void *buffer, size_t size, int flags, const struct sockaddr *address, socklen_t length),     \
         "as send")                                                                                                  \
    SHIM(sendmsg, socket, ssize_t, (int fd, const struct msghdr *message, int flags), "as send")                     \
    /* messages.c */                                                                                                 \
    SHIM(eventfd_read, io, int, (int fd, eventfd_t *value), "as read")                                               \
    SHIM(eventfd_write, io, int, (int fd, eventfd_t value), "as write")                                              \
    /* io.c */                                                                                                       \
    SHIM(read, io, ssize_t, (int fd, void *buffer, size_t size),                                                     \
         "parks until data is there; regular files on a worker")                                                    \
    SHIM(readv, io, ssize_t, (int fd, const struct iovec *parts, int count), "as read")                              \
    SHIM(__read_chk, io, ssize_t, (int fd, void *buffer, size_t size, size_t capacity), "as read")                   \
    SHIM(write, io, ssize_t, (int fd, const void *buffer, size_t size),                                              \
         "parks until all is written; regular files on a worker")                                                   \
    SHIM(writev, io, ssize_t, (int fd, const struct iovec *parts, int count), "as write")                            \
    /* close.c */                                                                                                    \
    SHIM(close, io, int, (int fd), "never parks; other fibers waiting for the descriptor get EBADF")                 \
    SHIM(dup2, io, int, (int from, int to), "never parks; closes `to` as close does")                                \
    SHIM(dup3, io, int, (int from, int to, int flags), "as dup2")                                                    \
    SHIM(close_range, io, int, (unsigned int first, unsigned int last, int flags), "as close")                       \
    SHIM(closefrom, io, void, (int first), "as close")                                                               \
    /* names.c */                                                                                                    \
    SHIM(getaddrinfo, name, int,                                                                                     \
         (const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **result),            \
         "runs on a worker thread; numeric hosts directly")                                                          \
    SHIM(getnameinfo, name, int,                                                                                     \
         (const struct sockaddr *address, socklen_t length, char *host, socklen_t host_size, char *service,          \
          socklen_t service_size, int flags),                                                                        \
         "runs on a worker thread; numeric requests directly")                                                       \
    SHIM(gethostbyname_r, name, int,                                                                                 \
         (const char *host, struct hostent *entry, char *buffer, size_t size, struct hostent **found,                \
          int *host_error),                                                                                          \
         "as gethostbyname")                                                                                         \
    SHIM(gethostbyname2_r, name, int,                                                                                \
         (const char *host, int family, struct hostent *entry, char *buffer, size_t size, struct hostent **found,    \
          int *host_error),                                                                                          \
         "as gethostbyname")                                                                                         \
    SHIM(gethostbyaddr_r, name, int,                                                                                 \
         (const void *address, socklen_t length, int family, struct hostent *entry, char *buffer, size_t size,       \
          struct hostent **found, int *host_error),                                                                  \
         "runs on a worker thread")                                                                                  \
    SHIM(gethostbyaddr, name, struct hostent *, (const void *address, socklen_t length, int family),                 \
         "runs on a worker thread")                                                                                  \
    SHIM(res_query, name, int, (const char *name, int class, int type, unsigned char *answer, int size),             \
         "runs on a worker thread, with that thread's resolver options")                                             \
    SHIM(res_search, name, int, (const char *name, int class, int type, unsigned char *answer, int size),            \
         "as res_query")                                                                                             \
    SHIM(res_querydomain, name, int,                                                                                 \
         (const char *name, const char *domain, int class, int type, unsigned char *answer, int size),               \
         "as res_query")                                                                                             \
    SHIM(gethostbyname, name, struct hostent *, (const char *host),                                                  \
         "runs on a worker thread; numeric hosts directly")                                                          \
    SHIM(gethostbyname2, name, struct hostent *, (const char *host, int family), "as gethostbyname")                 \
    /* children.c */                                                                                                 \
    SHIM(waitpid, process, pid_t, (pid_t pid, int *status, int options), "parks until the child has ended")          \
    SHIM(wait, process, pid_t, (int *status), "parks until a child has ended")                                       \
    SHIM(wait3, process, pid_t, (int *status, int options, struct rusage *usage), "as wait")                         \
    SHIM(wait4, process, pid_t, (pid_t pid, int *status, int options, struct rusage *usage), "as waitpid")           \
    SHIM(waitid, process, int, (idtype_t type, id_t id, siginfo_t *info, int options), "as waitpid")                 \
    /* forks.c */                                                                                                    \
    SHIM(vfork, process, pid_t, (void), "is fork: the child has memory of its own, and the parent goes on at once") \
    SHIM(_Fork, process, pid_t, (void), "never parks; the child's calls pass through, as after fork")                \
    /* shell.c */                                                                                                    \
    SHIM(system, process, int, (const char *command), "parks until the command has ended; killed, it kills it")      \
    SHIM(popen, process, FILE *, (const char *command, const char *mode), "never parks")                             \
    SHIM(pclose, process, int, (FILE *file), "parks until the command has ended")                                    \
    /* files.c */                                                                                                    \
    SHIM(pread, file, ssize_t, (int fd, void *buffer, size_t size, off_t offset),                                    \
         "from the page cache, or on a worker")                                                                      \
    SHIM(pread64, file, ssize_t, (int fd, void *buffer, size_t size, off_t offset), "as pread")                      \
    SHIM(__pread_chk, file, ssize_t, (int fd, void *buffer, size_t size, off_t offset, size_t capacity),             \
         "as pread")                                                                                                 \
    SHIM(__pread64_chk, file, ssize_t, (int fd, void *buffer, size_t size, off_t offset, size_t capacity),           \
         "as pread")                                                                                                 \
    SHIM(preadv, file, ssize_t, (int fd, const struct iovec *parts, int count, off_t offset), "as pread")            \
    SHIM(preadv64, file, ssize_t, (int fd, const struct iovec *parts, int count, off_t offset), "as pread")          \
    SHIM(preadv2, file, ssize_t, (int fd, const struct iovec *parts, int count, off_t offset, int flags),            \
         "as pread")                                                                                                 \
    SHIM(preadv64v2, file, ssize_t, (int fd, const struct iovec *parts, int count, off_t offset, int flags),         \
         "as pread")                                                                                                 \
    SHIM(pwrite, file, ssize_t, (int fd, const void *buffer, size_t size, off_t offset), "on a worker")              \
    SHIM(pwrite64, file, ssize_t, (int fd, const void *buffer, size_t size, off_t offset), "as pwrite")              \
    SHIM(pwritev, file, ssize_t, (int fd, const struct iovec *parts, int count, off_t offset), "as pwrite")          \
    SHIM(pwritev64, file, ssize_t, (int fd, const struct iovec *parts, int count, off_t offset), "as pwrite")        \
    SHIM(pwritev2, file, ssize_t, (int fd, const struct iovec *parts, int count, off_t offset, int flags),           \
         "as pwrite")                                                                                                \
    SHIM(pwritev64v2, file, ssize_t, (int fd, const struct iovec *parts, int count, off_t offset, int flags),        \
         "as pwrite")                                                                                                \
    SHIM(fsync, file, int, (int fd), "on a worker")                                                                  \
    SHIM(fdatasync, file, int, (int fd), "on a worker")                                                              \
    SHIM(sync_file_range, file, int, (int fd, off_t offset, off_t length, unsigned int flags), "on a worker")        \
    /* open.c */                                                                                                     \
    SHIM(open, file, int, (const char *path, int flags, ...), "on a worker; a FIFO parks until it has another end")  \
    SHIM(open64, file, int, (const char *path, int flags, ...), "as open")                                           \
    SHIM(openat, file, int, (int directory, const char *path, int flags, ...), "as open")                            \
    SHIM(openat64, file, int, (int directory, const char *path, int flags, ...), "as open")                          \
    SHIM(creat, file, int, (const char *path, mode_t mode), "as open")                                               \
    SHIM(creat64, file, int, (const char *path, mode_t mode), "as open")                                             \
    SHIM(__open_2, file, int, (const char *path, int flags), "as open")                                              \
    SHIM(__open64_2, file, int, (const char *path, int flags), "as open")                                            \
    SHIM(__openat_2, file, int, (int directory, const char *path, int flags), "as open")                             \
    SHIM(__openat64_2, file, int, (int directory, const char *path, int flags), "as open")                           \
    /* locks.c */                                                                                                    \
    SHIM(flock, lock, int, (int fd, int operation), "asked for without waiting, naps between")                       \
    SHIM(lockf, lock, int, (int fd, int command, off_t length), "as flock")                                          \
    SHIM(lockf64, lock, int, (int fd, int command, off_t length), "as flock")                                        \
    SHIM(fcntl, lock, int, (int fd, int command, ...), "F_SETLKW, F_OFD_SETLKW: as flock; others pass through")      \
    SHIM(fcntl64, lock, int, (int fd, int command, ...), "as fcntl")                                                 \
    /* input.c */                                                                                                    \
    SHIM(fread, stdio, size_t, (void *to, size_t size, size_t count, FILE *file),                                    \
         "pipes, sockets, terminals: parks for input")                                                               \
    SHIM(fread_unlocked, stdio, size_t, (void *to, size_t size, size_t count, FILE *file), "as fread")               \
    SHIM(__fread_chk, stdio, size_t, (void *to, size_t capacity, size_t size, size_t count, FILE *file),             \
         "as fread")                                                                                                 \
    SHIM(__fread_unlocked_chk, stdio, size_t, (void *to, size_t capacity, size_t size, size_t count, FILE *file),    \
         "as fread")                                                                                                 \
    SHIM(fgets, stdio, char *, (char *to, int size, FILE *file), "as fread")                                         \
    SHIM(fgets_unlocked, stdio, char *, (char *to, int size, FILE *file), "as fread")                                \
    SHIM(__fgets_chk, stdio, char *, (char *to, size_t capacity, int size, FILE *file), "as fread")                  \
    SHIM(__fgets_unlocked_chk, stdio, char *, (char *to, size_t capacity, int size, FILE *file), "as fread")         \
    SHIM(fgetc, stdio, int, (FILE *file), "as fread")                                                                \
    SHIM(getc, stdio, int, (FILE *file), "as fread")                                                                 \
    SHIM(_IO_getc, stdio, int, (FILE *file), "as fread")                                                             \
    SHIM(fgetc_unlocked, stdio, int, (FILE *file), "as fread")                                                       \
    SHIM(getc_unlocked, stdio, int, (FILE *file), "as fread")                                                        \
    SHIM(__uflow, stdio, int, (FILE *file), "as fread")                                                              \
    SHIM(__underflow, stdio, int, (FILE *file), "as fread")                                                          \
    SHIM(getchar, stdio, int, (void), "as fread")                                                                    \
    SHIM(getchar_unlocked, stdio, int, (void), "as fread")                                                           \
    SHIM(getdelim, stdio, ssize_t, (char **line, size_t *capacity, int delimiter, FILE *file), "as fread")           \
    SHIM(__getdelim, stdio, ssize_t, (char **line, size_t *capacity, int delimiter, FILE *file), "as fread")         \
    SHIM(getline, stdio, ssize_t, (char **line, size_t *capacity, FILE *file), "as fread")                           \
    /* output.c, streams.c */                                                                                        \
    SHIM(fwrite, stdio, size_t, (const void *from, size_t size, size_t count, FILE *file),                           \
         "pipes, sockets, terminals: parks while they are full")                                                     \
    SHIM(fwrite_unlocked, stdio, size_t, (const void *from, size_t size, size_t count, FILE *file), "as fwrite")     \
    SHIM(fputs, stdio, int, (const char *text, FILE *file), "as fwrite")                                             \
    SHIM(fputs_unlocked, stdio, int, (const char *text, FILE *file), "as fwrite")                                    \
    SHIM(fputc, stdio, int, (int byte, FILE *file), "as fwrite")                                                     \
    SHIM(putc, stdio, int, (int byte, FILE *file), "as fwrite")                                                      \
    SHIM(_IO_putc, stdio, int, (int byte, FILE *file), "as fwrite")                                                  \
    SHIM(fputc_unlocked, stdio, int, (int byte, FILE *file), "as fwrite")                                            \
    SHIM(putc_unlocked, stdio, int, (int byte, FILE *file), "as fwrite")                                             \
    SHIM(__overflow, stdio, int, (FILE *file, int byte), "as fwrite")                                                \
    SHIM(putchar, stdio, int, (int byte), "as fwrite")                                                               \
    SHIM(putchar_unlocked, stdio, int, (int byte), "as fwrite")                                                      \
    SHIM(puts, stdio, int, (const char *text), "as fwrite")                                                          \
    SHIM(fflush, stdio, int, (FILE *file), "as fwrite; of all streams at once it passes through")                    \
    SHIM(fflush_unlocked, stdio, int, (FILE *file), "as fflush")                                                     \
    SHIM(fclose, stdio, int, (FILE *file), "as fflush, then as close")                                               \
    SHIM(freopen, stdio, FILE *, (const char *path, const char *mode, FILE *file), "as fclose; then opens")            \
    SHIM(freopen64, stdio, FILE *, (const char *path, const char *mode, FILE *file), "as freopen")                   \
    SHIM(vfprintf, stdio, int, (FILE *file, const char *format, va_list arguments), "as fwrite")                     \
    SHIM(vprintf, stdio, int, (const char *format, va_list arguments), "as fwrite")                                  \
    SHIM(fprintf, stdio, int, (FILE *file, const char *format, ...), "as fwrite")                                    \
    SHIM(printf, stdio, int, (const char *format, ...), "as fwrite")                                                 \
    SHIM(__vfprintf_chk, stdio, int, (FILE *file, int flag, const char *format, va_list arguments), "as fwrite")     \
    SHIM(__vprintf_chk, stdio, int, (int flag, const char *format, va_list arguments), "as fwrite")                  \
    SHIM(__fprintf_chk, stdio, int, (FILE *file, int flag, const char *format, ...), "as fwrite")                    \
    SHIM(__printf_chk, stdio, int, (int flag, const char *format, ...), "as fwrite")                                 \
    SHIM(vdprintf, stdio, int, (int fd, const char *format, va_list arguments), "as write")                          \
    SHIM(dprintf, stdio, int, (int fd, const char *format, ...), "as write")                                         \
    SHIM(__vdprintf_chk, stdio, int, (int fd, int flag, const char *format, va_list arguments), "as write")          \
    SHIM(__dprintf_chk, stdio, int, (int fd, int flag, const char *format, ...), "as write")
