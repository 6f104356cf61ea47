// A call on its way to a worker thread.
//
// A fiber may leave early (killed) while the worker still resolves. So a request owns copies of all it was asked with and
// room for all it answers, on the heap, with a count of two: the fiber's and the worker's. Nothing in it points into
// the fiber's stack.
#pragma once

#include "dispatch.h"

#include <arpa/inet.h>
#include <stdatomic.h>

typedef struct cbs_request {
    atomic_int references;                ///< the fiber and the worker
    void (*dispose)(struct cbs_request *);  ///< frees what the request owns, then the request
    int result;                           ///< what the original returned
    int error;                            ///< errno after it
} cbs_request;

static inline void cbs_release(void *argument) {
    cbs_request *request = argument;
    if (atomic_fetch_sub_explicit(&request->references, 1, memory_order_acq_rel) == 1) {
        request->dispose(request);
    }
}

/// Runs a request on a worker. Returns 0 when it has been answered, or −errno.
static inline int cbs_run(const cbs_hook_table *hooks, cbs_request *request, void (*work)(void *)) {
    atomic_init(&request->references, 2);
    return cbs_offload(hooks, work, cbs_release, request);
}

/// A copy of a string that may be NULL; sets `failed` when memory is out.
static inline char *cbs_copy(const char *text, int *failed) {
    char *copy = text == NULL ? NULL : strdup(text);
    *failed |= text != NULL && copy == NULL;
    return copy;
}

/// Whether `host` is an address already, which nobody has to be asked about.
static inline int cbs_is_numeric(const char *host) {
    struct in_addr four;
    struct in6_addr six;
    return host == NULL || inet_aton(host, &four) != 0 || inet_pton(AF_INET6, host, &six) == 1;
}
