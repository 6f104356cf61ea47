// Who holds a lock, by libc's own word and by what fibers noted.
#include "dispatch.h"

int cbs_lock_thread(enum cbs_lock_type type, const void *lock) {
    switch (type) {
    case CBS_MUTEX: return __atomic_load_n(&((const pthread_mutex_t *)lock)->__data.__owner, __ATOMIC_RELAXED);
    case CBS_READ_WRITE_LOCK:
        return __atomic_load_n(&((const pthread_rwlock_t *)lock)->__data.__cur_writer, __ATOMIC_RELAXED);
    case CBS_NO_LOCK: break;
    }
    return 0;
}

cf_fiber *cbs_lock_holder(enum cbs_lock_type type, const void *lock) {
    return cbs_lock_thread(type, lock) == clinux_thread_id() ? cf_fiber_holder(lock) : NULL;
}

int cbs_other_lock_thread(enum cbs_lock_type type, const void *lock) {
    int thread = cbs_lock_thread(type, lock);
    return thread == clinux_thread_id() ? 0 : thread;
}
