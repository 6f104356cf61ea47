// C11's mtx_… and cnd_…. In glibc their objects are POSIX ones and the functions internal calls, so each has a shim.
#include "waiters.h"

#ifndef CBS_THREAD_SANITIZER

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "glibc's mtx_t is a pthread_mutex_t");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "glibc's cnd_t is a pthread_cond_t");

static pthread_mutex_t *posix(mtx_t *mutex) { return (pthread_mutex_t *)mutex; }

static int c11(int error) {
    return error == 0 ? thrd_success
        : error == EBUSY ? thrd_busy
        : error == ETIMEDOUT ? thrd_timedout
        : error == ENOMEM ? thrd_nomem : thrd_error;
}

int cbs_shim_mtx_lock(mtx_t *mutex) {
    const cbs_hook_table *hooks = cbs_lock_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(mtx_lock)(mutex);
    }
    return c11(cbs_shim_pthread_mutex_lock(posix(mutex)));
}

int cbs_shim_mtx_trylock(mtx_t *mutex) {
    const cbs_hook_table *hooks = cbs_lock_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(mtx_trylock)(mutex);
    }
    return c11(cbs_shim_pthread_mutex_trylock(posix(mutex)));
}

int cbs_shim_mtx_timedlock(mtx_t *mutex, const struct timespec *limit) {
    const cbs_hook_table *hooks = cbs_lock_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(mtx_timedlock)(mutex, limit);
    }
    return c11(cbs_shim_pthread_mutex_timedlock(posix(mutex), limit));
}

int cbs_shim_mtx_unlock(mtx_t *mutex) { return c11(cbs_shim_pthread_mutex_unlock(posix(mutex))); }

int cbs_shim_cnd_wait(cnd_t *condition, mtx_t *mutex) {
    const cbs_hook_table *hooks = cbs_event_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(cnd_wait)(condition, mutex);
    }
    return c11(cbs_shim_pthread_cond_wait((pthread_cond_t *)condition, posix(mutex)));
}

int cbs_shim_cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *limit) {
    const cbs_hook_table *hooks = cbs_event_hooks();
    if (CBS_LIKELY(hooks == NULL)) {
        return CBS_REAL(cnd_timedwait)(condition, mutex, limit);
    }
    return c11(cbs_shim_pthread_cond_timedwait((pthread_cond_t *)condition, posix(mutex), limit));
}

int cbs_shim_cnd_signal(cnd_t *condition) { return c11(cbs_shim_pthread_cond_signal((pthread_cond_t *)condition)); }

int cbs_shim_cnd_broadcast(cnd_t *condition) {
    return c11(cbs_shim_pthread_cond_broadcast((pthread_cond_t *)condition));
}

#endif
