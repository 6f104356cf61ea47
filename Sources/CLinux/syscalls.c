#include "CLinux.h"

/// Calls that a thread may be found in for long. Each architecture lacks some of them.
const char *clinux_system_call_name(long number) {
    switch (number) {
#define NAMED(name)      \
    case SYS_##name:     \
        return #name;
        NAMED(read)
        NAMED(write)
        NAMED(readv)
        NAMED(writev)
        NAMED(pread64)
        NAMED(pwrite64)
        NAMED(openat)
        NAMED(mmap)
        NAMED(munmap)
        NAMED(mprotect)
        NAMED(madvise)
        NAMED(fsync)
        NAMED(fdatasync)
        NAMED(fcntl)
        NAMED(flock)
        NAMED(ioctl)
        NAMED(sendfile)
        NAMED(splice)
        NAMED(connect)
        NAMED(accept)
        NAMED(accept4)
        NAMED(sendto)
        NAMED(recvfrom)
        NAMED(sendmsg)
        NAMED(recvmsg)
        NAMED(sendmmsg)
        NAMED(recvmmsg)
        NAMED(ppoll)
        NAMED(pselect6)
        NAMED(epoll_pwait)
        NAMED(epoll_pwait2)
        NAMED(nanosleep)
        NAMED(clock_nanosleep)
        NAMED(futex)
        NAMED(wait4)
        NAMED(waitid)
        NAMED(rt_sigtimedwait)
        NAMED(semtimedop)
        NAMED(msgrcv)
        NAMED(msgsnd)
        NAMED(mq_timedreceive)
        NAMED(getrandom)
        NAMED(execve)
        NAMED(io_uring_enter)
#ifdef SYS_poll
        NAMED(poll)
#endif
#ifdef SYS_select
        NAMED(select)
#endif
#ifdef SYS_epoll_wait
        NAMED(epoll_wait)
#endif
#ifdef SYS_open
        NAMED(open)
#endif
#ifdef SYS_pause
        NAMED(pause)
#endif
#undef NAMED
    default:
        return NULL;
    }
}
