#include "aliases.h"
#include "forks.h"

#include <dlfcn.h>

// MARK: Hooks

static const cbs_hook_table *process_hooks = NULL;

// Initial-exec: the variable lies in the executable's own TLS block, so reading it allocates nothing.
static __thread const cbs_hook_table *thread_hooks __attribute__((tls_model("initial-exec"))) = NULL;

// The fiber that called fork(2) or its like, in the child: its scheduler stayed behind in the parent, and the descriptors it would
// wait with are shared with it. So there its calls pass through. Fibers made in the child are its own affair.
static const cf_fiber *orphan = NULL;

void cbs_orphan_forked(void) { orphan = cf_fiber_current(); }

/// Asks for the process's hooks. What makes them runs on the fiber that is the first to need them, and takes locks there: shims
/// that are called meanwhile must not ask in turn.
static const cbs_hook_table *make_hooks(void) {
    cf_fiber *fiber = cf_fiber_current();
    if (cbs_default_hooks == NULL || (fiber != NULL && fiber->is_in_hook)) {
        return NULL;
    }
    unsigned listeners = clinux_close_listeners;
    if (fiber != NULL) {
        fiber->is_in_hook = 1;
    }
    clinux_close_listeners = 0;  // what it closes meanwhile is its own
    const cbs_hook_table *hooks = cbs_default_hooks();  // always the same table: it does not matter who is first
    clinux_close_listeners = listeners;
    if (fiber != NULL) {
        fiber->is_in_hook = 0;
    }
    __atomic_store_n(&process_hooks, hooks, __ATOMIC_RELEASE);
    return hooks;
}

const cbs_hook_table *cbs_hooks_of_stack(void) {
    if (orphan != NULL && orphan == cf_fiber_current()) {
        return NULL;
    }
    if (thread_hooks != NULL) {
        return thread_hooks;
    }
    const cbs_hook_table *hooks = __atomic_load_n(&process_hooks, __ATOMIC_ACQUIRE);
    return hooks != NULL ? hooks : make_hooks();
}

void cbs_hear_close(int area, int first, int last) {
    // The hooks that a test or another scheduler sets are its fibers' alone.
    if (first < 0 || (cf_fiber_current() == NULL && (thread_hooks != NULL || clinux_thread_reactor == NULL))) {
        return;
    }
    int error = errno;
    const cbs_hook_table *hooks = cbs_hooks_of_stack();
    if (hooks != NULL && (__atomic_load_n(&cbs_inactive_areas, __ATOMIC_RELAXED) >> area & 1) == 0) {
        cbs_will_close_range(hooks, first, last);
    }
    errno = error;
}

const cbs_hook_table *cbs_hooks_of_fiber(void) {
    const void *task = cf_fiber_current()->task;
    return task == NULL || task == clinux_current_task() ? cbs_hooks_of_stack() : NULL;
}

// MARK: Areas

uint32_t cbs_inactive_areas = 0;

/// What the environment says is read as the hooks are made.
static void read_environment(void) {
    if (__atomic_load_n(&process_hooks, __ATOMIC_ACQUIRE) == NULL) {
        make_hooks();
    }
}

uint32_t cbs_active_areas(void) {
    read_environment();
    return ~__atomic_load_n(&cbs_inactive_areas, __ATOMIC_RELAXED) & CBS_ALL_AREAS;
}

void cbs_set_active_areas(uint32_t areas) {
    read_environment();
    __atomic_store_n(&cbs_inactive_areas, ~areas & CBS_ALL_AREAS, __ATOMIC_RELAXED);
}

void cbs_start_areas(uint32_t areas) {
    __atomic_store_n(&cbs_inactive_areas, ~areas & CBS_ALL_AREAS, __ATOMIC_RELAXED);
}

int cbs_heeds_cork(int fd) {
    return fd >= 0 && (__atomic_load_n(&cbs_inactive_areas, __ATOMIC_RELAXED) >> CBS_AREA_socket & 1) == 0;
}

int cbs_has_hooks(void) { return cbs_hooks_of_stack() != NULL; }

int cbs_is_parking(void) { return cf_fiber_current() != NULL && cbs_hooks_of_fiber() != NULL; }

void cbs_set_thread_hooks(const cbs_hook_table *hooks) {
    thread_hooks = hooks;
    clinux_listen_to_closes(CLINUX_HOOKS_LISTEN, hooks != NULL);
}

// MARK: Table

#define CBS_AREA_NAME(name, area, result, parameters, behaviour) static const char cbs_area_of_##name[] = #area;
CBS_SHIMS(CBS_AREA_NAME)
#undef CBS_AREA_NAME

#define CBS_ALIAS_INDEX(alias, shim) CBS_ALIAS_INDEX_##alias,
enum { CBS_ALIASES(CBS_ALIAS_INDEX) CBS_ALIAS_COUNT };
#undef CBS_ALIAS_INDEX

// The addresses here are also the anchor: whoever links this object needs the objects of all shims, so none is dropped
// even when a build system puts them in an archive.
static const cbs_shim shims[CBS_COUNT + CBS_ALIAS_COUNT] = {
#define CBS_ROW(name, area, result, parameters, behaviour) {#name, cbs_area_of_##name, behaviour, (void *)cbs_shim_##name},
    CBS_SHIMS(CBS_ROW)
#undef CBS_ROW
#define CBS_ALIAS_ROW(alias, shim) {#alias, cbs_area_of_##shim, "is " #shim, (void *)cbs_alias_##alias},
    CBS_ALIASES(CBS_ALIAS_ROW)
#undef CBS_ALIAS_ROW
};

size_t cbs_shim_count(void) { return CBS_COUNT + CBS_ALIAS_COUNT; }

const cbs_shim *cbs_shim_at(size_t index) { return index < cbs_shim_count() ? &shims[index] : NULL; }

// MARK: Originals

struct cbs_originals cbs_originals;

_Static_assert(sizeof cbs_originals == CBS_COUNT * sizeof(void *), "one pointer per shim, in the table's order");

/// Stands in for a function that this libc does not have (epoll_pwait2 before glibc 2.35).
static long cbs_missing(void) {
    errno = ENOSYS;
    return -1;
}

void *cbs_resolve(int index) {
    // RTLD_NEXT: the objects after the one with this code, which is the executable, in the linker's search order. dlsym
    // takes the loader's lock and may allocate, but reads no descriptor, so it cannot come back here.
    int error = errno;
    void *original = dlsym(RTLD_NEXT, shims[index].name);
    if (original == NULL) {
        original = (void *)cbs_missing;
    }
    __atomic_store_n((void **)&cbs_originals + index, original, __ATOMIC_RELAXED);
    errno = error;
    return original;
}

void *cbs_original_at(size_t index) {
    if (index >= cbs_shim_count()) {
        return NULL;
    }
    if (index >= CBS_COUNT) {
        return dlsym(RTLD_NEXT, shims[index].name);  // an alias: no shim calls it
    }
    void *original = cbs_resolve((int)index);
    return original == (void *)cbs_missing ? NULL : original;
}

/// Finds every original before main: dlsym is not async-signal-safe, the shims of read and write must be. Shared
/// libraries' constructors run before the executable's; what they call is found one by one, in `CBS_REAL`.
__attribute__((constructor(101))) static void cbs_resolve_all(void) {
    for (int index = 0; index < CBS_COUNT; index++) {
        cbs_resolve(index);
    }
    // Off fibers the calls block, and the monitor's reports name them.
    clinux_add_blocking_calls(&shims[0].name, sizeof shims[0], CBS_COUNT);
}
