// A lock for the few instructions that change a list of this target: never held across a park or a call into libc that
// waits. No pthread mutex, because its functions may be interposed themselves.
#pragma once

#include <sched.h>
#include <stdatomic.h>

typedef atomic_flag cbs_lock;

#define CBS_LOCK ATOMIC_FLAG_INIT

static inline void cbs_lock_take(cbs_lock *lock) {
    while (atomic_flag_test_and_set_explicit(lock, memory_order_acquire)) {
        sched_yield();
    }
}

static inline void cbs_lock_give(cbs_lock *lock) { atomic_flag_clear_explicit(lock, memory_order_release); }
