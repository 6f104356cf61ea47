// Name lookups: glibc's resolver reads files, sockets and plug-ins through its internal calls, so the whole call goes
// to a worker thread.
#define CBS_AREA CBS_AREA_name
#include "answers.h"
#include "request.h"

#include <stdio.h>

// MARK: getaddrinfo

typedef struct cbs_address_request {
    cbs_request base;
    char *host;              ///< own copy, or NULL
    char *service;           ///< own copy, or NULL
    struct addrinfo hints;   ///< copy; only the four input fields
    int has_hints;           ///< the caller gave hints
    struct addrinfo *found;  ///< the answer, until the fiber takes it
} cbs_address_request;

static void cbs_address_dispose(cbs_request *base) {
    cbs_address_request *request = (cbs_address_request *)base;
    free(request->host);
    free(request->service);
    if (request->found != NULL) {
        freeaddrinfo(request->found);
    }
    free(request);
}

static void cbs_address_work(void *argument) {
    cbs_address_request *request = argument;
    request->base.result = CBS_REAL(getaddrinfo)(
        request->host, request->service, request->has_hints ? &request->hints : NULL, &request->found);
    request->base.error = errno;
    if (request->base.result != 0) {
        request->found = NULL;
    }
}

/// Tries the request as a numeric one, which asks nobody. Returns its result, or EAI_NONAME when it is not numeric.
static int cbs_numeric(
    const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    struct addrinfo numeric = hints != NULL ? *hints : (struct addrinfo){.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG};
    numeric.ai_flags |= AI_NUMERICHOST | (service != NULL ? AI_NUMERICSERV : 0);
    return CBS_REAL(getaddrinfo)(host, service, &numeric, found);
}

int cbs_shim_getaddrinfo(
    const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(getaddrinfo)(host, service, hints, result);
    }
    int saved = errno;
    struct addrinfo *found = NULL;
    int answer = cbs_numeric(host, service, hints, &found);
    if (answer == 0) {
        *result = found;
        errno = saved;
        return 0;
    }
    if (answer != EAI_NONAME && answer != EAI_SERVICE) {
        return answer;  // the request itself is wrong; the original would say the same
    }
    cbs_address_request *request = calloc(1, sizeof *request);
    if (request == NULL) {
        return EAI_MEMORY;
    }
    int failed = 0;
    request->base.dispose = cbs_address_dispose;
    request->host = cbs_copy(host, &failed);
    request->service = cbs_copy(service, &failed);
    if (hints != NULL) {
        request->has_hints = 1;
        request->hints.ai_flags = hints->ai_flags;
        request->hints.ai_family = hints->ai_family;
        request->hints.ai_socktype = hints->ai_socktype;
        request->hints.ai_protocol = hints->ai_protocol;
    }
    if (failed) {
        cbs_address_dispose(&request->base);
        return EAI_MEMORY;
    }
    int parked = cbs_run(hooks, &request->base, cbs_address_work);
    if (parked < 0) {
        answer = EAI_SYSTEM;
        errno = -parked;
    } else {
        answer = request->base.result;
        errno = answer == EAI_SYSTEM ? request->base.error : saved;
        if (answer == 0) {
            *result = request->found;
            request->found = NULL;
        }
    }
    cbs_release(request);
    return answer;
}

// MARK: getnameinfo

typedef struct cbs_name_request {
    cbs_request base;
    struct sockaddr_storage address;  ///< copy
    socklen_t length;                 ///< of the address
    int flags;                        ///< NI_…
    socklen_t host_size;              ///< room the caller has for the host; 0: not asked
    socklen_t service_size;           ///< room the caller has for the service; 0: not asked
    char text[];                      ///< answers: host, then service
} cbs_name_request;

static void cbs_name_dispose(cbs_request *base) { free(base); }

static void cbs_name_work(void *argument) {
    cbs_name_request *request = argument;
    request->base.result = CBS_REAL(getnameinfo)(
        (struct sockaddr *)&request->address, request->length, request->host_size > 0 ? request->text : NULL,
        request->host_size, request->service_size > 0 ? request->text + request->host_size : NULL,
        request->service_size, request->flags);
    request->base.error = errno;
}

int cbs_shim_getnameinfo(
    const struct sockaddr *address, socklen_t length, char *host, socklen_t host_size, char *service,
    socklen_t service_size, int flags) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    host_size = host == NULL ? 0 : host_size;
    service_size = service == NULL ? 0 : service_size;
    int asks_host = host_size > 0 && (flags & NI_NUMERICHOST) == 0;
    int asks_service = service_size > 0 && (flags & NI_NUMERICSERV) == 0;
    int is_internet = address != NULL && length >= sizeof(sa_family_t) && length <= sizeof(struct sockaddr_storage)
        && (address->sa_family == AF_INET || address->sa_family == AF_INET6);
    if (CBS_LIKELY(hooks == NULL) || !is_internet || (!asks_host && !asks_service)) {
        return CBS_REAL(getnameinfo)(address, length, host, host_size, service, service_size, flags);
    }
    cbs_name_request *request = calloc(1, sizeof *request + host_size + service_size);
    if (request == NULL) {
        return EAI_MEMORY;
    }
    int saved = errno;
    request->base.dispose = cbs_name_dispose;
    memcpy(&request->address, address, length);
    request->length = length;
    request->flags = flags;
    request->host_size = host_size;
    request->service_size = service_size;
    int parked = cbs_run(hooks, &request->base, cbs_name_work);
    int answer = EAI_SYSTEM;
    if (parked < 0) {
        errno = -parked;
    } else {
        answer = request->base.result;
        errno = answer == EAI_SYSTEM ? request->base.error : saved;
        if (answer == 0 && host_size > 0) {
            memcpy(host, request->text, host_size);
        }
        if (answer == 0 && service_size > 0) {
            memcpy(service, request->text + host_size, service_size);
        }
    }
    cbs_release(request);
    return answer;
}

// MARK: gethostbyname

typedef struct cbs_host_request {
    cbs_request base;
    char *host;             ///< own copy
    int family;             ///< AF_INET, AF_INET6, or 0 for gethostbyname
    struct hostent entry;   ///< the answer; points into `buffer`
    char *buffer;           ///< its storage, grown as needed
    int found;              ///< `entry` is filled
    int host_error;         ///< h_errno
} cbs_host_request;

static void cbs_host_dispose(cbs_request *base) {
    cbs_host_request *request = (cbs_host_request *)base;
    free(request->host);
    free(request->buffer);
    free(request);
}

static void cbs_host_work(void *argument) {
    cbs_host_request *request = argument;
    for (size_t size = 1024; size <= 1 << 20; size *= 4) {
        char *buffer = realloc(request->buffer, size);
        if (buffer == NULL) {
            request->host_error = NETDB_INTERNAL;
            request->base.error = ENOMEM;
            return;
        }
        request->buffer = buffer;
        struct hostent *found = NULL;
        int result = request->family == 0
            ? CBS_REAL(gethostbyname_r)(request->host, &request->entry, buffer, size, &found, &request->host_error)
            : CBS_REAL(gethostbyname2_r)(
                  request->host, request->family, &request->entry, buffer, size, &found, &request->host_error);
        request->base.error = errno;
        if (result != ERANGE) {
            request->found = result == 0 && found != NULL;
            return;
        }
    }
}

/// The body of both; `family` is 0 for gethostbyname.
static CBS_SLOW struct hostent *cbs_host(const cbs_hook_table *hooks, const char *host, int family) {
    int saved = errno;
    cbs_host_request *request = calloc(1, sizeof *request);
    int failed = request == NULL;
    if (!failed) {
        request->base.dispose = cbs_host_dispose;
        request->family = family;
        request->host = cbs_copy(host, &failed);
    }
    if (failed) {
        free(request);
        h_errno = NETDB_INTERNAL;
        errno = ENOMEM;
        return NULL;
    }
    int parked = 0;
    if (cbs_is_numeric(host)) {
        atomic_init(&request->base.references, 1);
        cbs_host_work(request);
    } else {
        parked = cbs_run(hooks, &request->base, cbs_host_work);
    }
    struct hostent *answer = NULL;
    if (parked < 0) {
        h_errno = NETDB_INTERNAL;
        errno = -parked;
    } else if (!request->found) {
        h_errno = request->host_error;
        errno = request->host_error == NETDB_INTERNAL ? request->base.error : saved;
    } else {
        answer = cbs_keep_answer(
            family == 0 ? CBS_ANSWER_BY_NAME : CBS_ANSWER_BY_NAME_AND_FAMILY, &request->entry, request->buffer);
        request->buffer = NULL;
        errno = answer == NULL ? errno : saved;
    }
    cbs_release(request);
    return answer;
}

struct hostent *cbs_shim_gethostbyname(const char *host) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(gethostbyname)(host) : cbs_host(hooks, host, 0);
}

static CBS_SLOW struct hostent *cbs_host_of_family(const cbs_hook_table *hooks, const char *host, int family) {
    // No family is 0: glibc says so.
    return family == 0 ? CBS_REAL(gethostbyname2)(host, family) : cbs_host(hooks, host, family);
}

struct hostent *cbs_shim_gethostbyname2(const char *host, int family) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(gethostbyname2)(host, family) : cbs_host_of_family(hooks, host, family);
}
