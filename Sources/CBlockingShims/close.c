// close, dup2, dup3, close_range and closefrom. They never wait; they are here for what they end: whoever waits for a
// descriptor is woken before it is closed.
//
// Off fibers, too: what `async` code and callbacks close on a reactor's thread somebody may wait for as well. Other threads
// pay the one thread-local read that says so.
#define CBS_AREA CBS_AREA_io
#include "dispatch.h"

#define CBS_CLOSE_RANGE_UNSHARE 2u

int cbs_shim_close(int fd) {
    cbs_closing(CBS_AREA, fd);
    return CBS_REAL(close)(fd);
}

/// Announces that `to` is about to mean another file, unless the call is going to fail or to change nothing.
static CBS_SAVES_REGISTERS CBS_SLOW void cbs_replacing(int from, int to, int flags) {
    int error = errno;
    if (from != to && (flags & ~O_CLOEXEC) == 0 && CBS_REAL(fcntl)(from, F_GETFD) >= 0) {
        cbs_hear_close(CBS_AREA, to, to);
    }
    errno = error;
}

int cbs_shim_dup2(int from, int to) {
    if (!CBS_LIKELY(clinux_close_listeners == 0)) {
        cbs_replacing(from, to, 0);
    }
    return CBS_REAL(dup2)(from, to);
}

int cbs_shim_dup3(int from, int to, int flags) {
    if (!CBS_LIKELY(clinux_close_listeners == 0)) {
        cbs_replacing(from, to, flags);
    }
    return CBS_REAL(dup3)(from, to, flags);
}

/// Announces the descriptors of a range, unless the call is going to fail or to mark them only.
static CBS_SAVES_REGISTERS CBS_SLOW void cbs_closing_range(unsigned first, unsigned last, unsigned flags) {
    if (first <= last && first <= INT_MAX && (flags & ~CBS_CLOSE_RANGE_UNSHARE) == 0) {
        cbs_hear_close(CBS_AREA, (int)first, last <= INT_MAX ? (int)last : INT_MAX);
    }
}

int cbs_shim_close_range(unsigned int first, unsigned int last, int flags) {
    if (!CBS_LIKELY(clinux_close_listeners == 0)) {
        cbs_closing_range(first, last, (unsigned)flags);
    }
    return CBS_REAL(close_range)(first, last, flags);
}

void cbs_shim_closefrom(int first) {
    if (!CBS_LIKELY(clinux_close_listeners == 0)) {
        cbs_closing_range(first > 0 ? (unsigned)first : 0, INT_MAX, 0);
    }
    CBS_REAL(closefrom)(first);
}
