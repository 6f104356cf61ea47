// gethostbyname_r and its relatives, gethostbyaddr, res_query and its relatives: on a worker thread, as in names.c.
//
// A host's answer is a structure whose pointers point into the caller's buffer. The worker fills a buffer of its own, of the
// same size and alignment; what it holds is copied as it is, and the pointers are moved.
#define CBS_AREA CBS_AREA_name
#include "answers.h"
#include "request.h"

enum { CBS_BY_NAME, CBS_BY_NAME_AND_FAMILY, CBS_BY_ADDRESS, CBS_QUERY, CBS_SEARCH, CBS_QUERY_DOMAIN };

typedef struct cbs_lookup {
    cbs_request base;
    int kind;                ///< one of the above
    char *name;              ///< own copy, or NULL
    char *domain;            ///< own copy, or NULL
    void *address;           ///< own copy, or NULL
    socklen_t length;        ///< of the address
    int family;              ///< of the address, or asked for
    int class;               ///< of the query
    int type;                ///< of the query
    void *memory;            ///< where `buffer` lies
    char *buffer;            ///< room for the answer
    size_t size;             ///< of the buffer
    struct hostent entry;    ///< the answer; points into the buffer
    struct hostent *found;   ///< `entry` or NULL
    int host_error;          ///< h_errno
} cbs_lookup;

static void dispose(cbs_request *base) {
    cbs_lookup *lookup = (cbs_lookup *)base;
    free(lookup->name);
    free(lookup->domain);
    free(lookup->address);
    free(lookup->memory);
    free(lookup);
}

static void work(void *argument) {
    cbs_lookup *lookup = argument;
    h_errno = 0;
    switch (lookup->kind) {
    case CBS_BY_NAME:
        lookup->base.result = CBS_REAL(gethostbyname_r)(
            lookup->name, &lookup->entry, lookup->buffer, lookup->size, &lookup->found, &lookup->host_error);
        break;
    case CBS_BY_NAME_AND_FAMILY:
        lookup->base.result = CBS_REAL(gethostbyname2_r)(
            lookup->name, lookup->family, &lookup->entry, lookup->buffer, lookup->size, &lookup->found,
            &lookup->host_error);
        break;
    case CBS_BY_ADDRESS:
        lookup->base.result = CBS_REAL(gethostbyaddr_r)(
            lookup->address, lookup->length, lookup->family, &lookup->entry, lookup->buffer, lookup->size,
            &lookup->found, &lookup->host_error);
        break;
    case CBS_QUERY:
        lookup->base.result = CBS_REAL(res_query)(
            lookup->name, lookup->class, lookup->type, (unsigned char *)lookup->buffer, (int)lookup->size);
        lookup->host_error = h_errno;
        break;
    case CBS_SEARCH:
        lookup->base.result = CBS_REAL(res_search)(
            lookup->name, lookup->class, lookup->type, (unsigned char *)lookup->buffer, (int)lookup->size);
        lookup->host_error = h_errno;
        break;
    default:
        lookup->base.result = CBS_REAL(res_querydomain)(
            lookup->name, lookup->domain, lookup->class, lookup->type, (unsigned char *)lookup->buffer,
            (int)lookup->size);
        lookup->host_error = h_errno;
        break;
    }
    lookup->base.error = errno;
}

/// Makes what `asked` describes with copies of its texts and address, and a buffer like the caller's. NULL: no memory.
static cbs_lookup *make(const cbs_lookup *asked, const char *buffer) {
    cbs_lookup *lookup = malloc(sizeof *lookup);
    if (lookup == NULL) {
        return NULL;
    }
    int failed = 0;
    *lookup = *asked;
    lookup->base.dispose = dispose;
    lookup->name = cbs_copy(asked->name, &failed);
    lookup->domain = cbs_copy(asked->domain, &failed);
    lookup->address = asked->address == NULL ? NULL : malloc(asked->length + 1);
    lookup->memory = malloc(asked->size + 64);
    if (failed || lookup->memory == NULL || (asked->address != NULL && lookup->address == NULL)) {
        dispose(&lookup->base);
        return NULL;
    }
    if (asked->address != NULL) {
        memcpy(lookup->address, asked->address, asked->length);
    }
    uintptr_t start = ((uintptr_t)lookup->memory + 15) & ~(uintptr_t)15;
    lookup->buffer = (char *)(start + ((uintptr_t)buffer & 15));
    memset(lookup->buffer, 0, lookup->size);
    return lookup;
}

/// A pointer into one buffer, made to point to the same place of another.
static char *moved(char *pointer, const cbs_lookup *lookup, char *buffer) {
    ptrdiff_t offset = pointer - lookup->buffer;
    return pointer != NULL && offset >= 0 && (size_t)offset < lookup->size ? buffer + offset : pointer;
}

static char **moved_list(char **list, const cbs_lookup *lookup, char *buffer) {
    char **copy = (char **)(void *)moved((char *)list, lookup, buffer);
    for (char **item = copy; item != NULL && copy != list && *item != NULL; item++) {
        *item = moved(*item, lookup, buffer);
    }
    return copy;
}

/// The re-entrant calls' body.
static CBS_SLOW int find_host(
    const cbs_hook_table *hooks, const cbs_lookup *asked, struct hostent *entry, char *buffer,
    struct hostent **found, int *host_error) {
    int saved = errno;
    cbs_lookup *lookup = make(asked, buffer);
    int parked = lookup == NULL ? -ENOMEM : cbs_run(hooks, &lookup->base, work);
    *found = NULL;
    int result;
    if (parked < 0) {
        *host_error = NETDB_INTERNAL;
        errno = result = -parked;
    } else {
        result = lookup->base.result;
        *host_error = lookup->host_error;
        errno = result == 0 ? saved : lookup->base.error;
        if (result == 0 && lookup->found != NULL) {
            memcpy(buffer, lookup->buffer, lookup->size);
            *entry = lookup->entry;
            entry->h_name = moved(entry->h_name, lookup, buffer);
            entry->h_aliases = moved_list(entry->h_aliases, lookup, buffer);
            entry->h_addr_list = moved_list(entry->h_addr_list, lookup, buffer);
            *found = entry;
        }
    }
    if (lookup != NULL) {
        cbs_release(lookup);
    }
    return result;
}

int cbs_shim_gethostbyname_r(
    const char *host, struct hostent *entry, char *buffer, size_t size, struct hostent **found, int *host_error) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || cbs_is_numeric(host)) {
        return CBS_REAL(gethostbyname_r)(host, entry, buffer, size, found, host_error);
    }
    cbs_lookup asked = {.kind = CBS_BY_NAME, .name = (char *)host, .size = size};
    return find_host(hooks, &asked, entry, buffer, found, host_error);
}

int cbs_shim_gethostbyname2_r(
    const char *host, int family, struct hostent *entry, char *buffer, size_t size, struct hostent **found,
    int *host_error) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || cbs_is_numeric(host)) {
        return CBS_REAL(gethostbyname2_r)(host, family, entry, buffer, size, found, host_error);
    }
    cbs_lookup asked = {
        .kind = CBS_BY_NAME_AND_FAMILY, .name = (char *)host, .family = family, .size = size};
    return find_host(hooks, &asked, entry, buffer, found, host_error);
}

int cbs_shim_gethostbyaddr_r(
    const void *address, socklen_t length, int family, struct hostent *entry, char *buffer, size_t size,
    struct hostent **found, int *host_error) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || address == NULL) {
        return CBS_REAL(gethostbyaddr_r)(address, length, family, entry, buffer, size, found, host_error);
    }
    cbs_lookup asked = {
        .kind = CBS_BY_ADDRESS, .address = (void *)address, .length = length, .family = family, .size = size};
    return find_host(hooks, &asked, entry, buffer, found, host_error);
}

static CBS_SLOW struct hostent *by_address(
    const cbs_hook_table *hooks, const void *address, socklen_t length, int family) {
    if (address == NULL) {
        return CBS_REAL(gethostbyaddr)(address, length, family);
    }
    int host_error = 0;
    for (size_t size = 1024;; size *= 4) {
        char *buffer = malloc(size);
        if (buffer == NULL) {
            h_errno = NETDB_INTERNAL;
            errno = ENOMEM;
            return NULL;
        }
        struct hostent entry;
        struct hostent *found = NULL;
        cbs_lookup asked = {
            .kind = CBS_BY_ADDRESS, .address = (void *)address, .length = length, .family = family, .size = size};
        int result = find_host(hooks, &asked, &entry, buffer, &found, &host_error);
        if (result == 0 && found != NULL) {
            return cbs_keep_answer(CBS_ANSWER_BY_ADDRESS, &entry, buffer);
        }
        free(buffer);
        if (result != ERANGE || size > 1 << 20) {
            h_errno = host_error;
            return NULL;
        }
    }
}

struct hostent *cbs_shim_gethostbyaddr(const void *address, socklen_t length, int family) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    return CBS_LIKELY(hooks == NULL) ? CBS_REAL(gethostbyaddr)(address, length, family)
                                     : by_address(hooks, address, length, family);
}

// MARK: DNS

/// The queries' body. The worker thread's resolver state is used: options that the caller set in its own `_res` are not.
static CBS_SLOW int query(const cbs_hook_table *hooks, const cbs_lookup *asked, unsigned char *answer) {
    int saved = errno;
    cbs_lookup *lookup = make(asked, (const char *)answer);
    int parked = lookup == NULL ? -ENOMEM : cbs_run(hooks, &lookup->base, work);
    int result = -1;
    if (parked < 0) {
        h_errno = NETDB_INTERNAL;
        errno = -parked;
    } else {
        result = lookup->base.result;
        h_errno = lookup->host_error;
        errno = result >= 0 ? saved : lookup->base.error;
        if (result > 0) {
            memcpy(answer, lookup->buffer, (size_t)result < lookup->size ? (size_t)result : lookup->size);
        }
    }
    if (lookup != NULL) {
        cbs_release(lookup);
    }
    return result;
}

int cbs_shim_res_query(const char *name, int class, int type, unsigned char *answer, int size) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || size < 0) {
        return CBS_REAL(res_query)(name, class, type, answer, size);
    }
    cbs_lookup asked = {
        .kind = CBS_QUERY, .name = (char *)name, .class = class, .type = type, .size = (size_t)size};
    return query(hooks, &asked, answer);
}

int cbs_shim_res_search(const char *name, int class, int type, unsigned char *answer, int size) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || size < 0) {
        return CBS_REAL(res_search)(name, class, type, answer, size);
    }
    cbs_lookup asked = {
        .kind = CBS_SEARCH, .name = (char *)name, .class = class, .type = type, .size = (size_t)size};
    return query(hooks, &asked, answer);
}

int cbs_shim_res_querydomain(
    const char *name, const char *domain, int class, int type, unsigned char *answer, int size) {
    const cbs_hook_table *hooks = cbs_current_hooks();
    if (CBS_LIKELY(hooks == NULL) || size < 0) {
        return CBS_REAL(res_querydomain)(name, domain, class, type, answer, size);
    }
    cbs_lookup asked = {
        .kind = CBS_QUERY_DOMAIN, .name = (char *)name, .domain = (char *)domain, .class = class, .type = type,
        .size = (size_t)size};
    return query(hooks, &asked, answer);
}
