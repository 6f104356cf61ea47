// The rows of table.h for POSIX and C11 threads: waits for other threads, and for other fibers of the same thread.
//
// Calls that release or wake are here because a fiber may wait for them, the trying ones because they may get a lock.
#pragma once

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CBS_THREAD_SANITIZER 1
#endif
#if __has_feature(address_sanitizer)
#define CBS_ADDRESS_SANITIZER 1
#endif
#endif

// The thread sanitizer learns of locks by interposing these very symbols, and of two definitions in one executable only
// one counts. In a build with it they are the sanitizer's, and block the thread.
#ifdef CBS_THREAD_SANITIZER
#define CBS_THREAD_SHIMS(SHIM)
#else
#define CBS_THREAD_SHIMS(SHIM)                                                                                       \
    /* mutex.c */                                                                                                    \
    SHIM(pthread_mutex_lock, thread, int, (pthread_mutex_t *mutex),                                                  \
         "parks until it has the mutex; a kill does not end that")                                                   \
    SHIM(pthread_mutex_trylock, thread, int, (pthread_mutex_t *mutex),                                               \
         "never parks; recursive mutexes belong to a fiber")                                                         \
    SHIM(pthread_mutex_timedlock, thread, int, (pthread_mutex_t *mutex, const struct timespec *limit),               \
         "as pthread_mutex_lock, until the limit")                                                                   \
    SHIM(pthread_mutex_clocklock, thread, int,                                                                       \
         (pthread_mutex_t *mutex, clockid_t clock, const struct timespec *limit), "as pthread_mutex_timedlock")      \
    SHIM(pthread_mutex_unlock, thread, int, (pthread_mutex_t *mutex), "never parks; wakes a waiting fiber")          \
    /* condition.c */                                                                                                \
    SHIM(pthread_cond_wait, thread, int, (pthread_cond_t *condition, pthread_mutex_t *mutex),                        \
         "parks until it is signalled, then for the mutex")                                                          \
    SHIM(pthread_cond_timedwait, thread, int,                                                                        \
         (pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *limit), "as pthread_cond_wait")  \
    SHIM(pthread_cond_clockwait, thread, int,                                                                        \
         (pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *limit),         \
         "as pthread_cond_wait")                                                                                     \
    SHIM(pthread_cond_signal, thread, int, (pthread_cond_t *condition), "never parks; wakes a waiting fiber")        \
    SHIM(pthread_cond_broadcast, thread, int, (pthread_cond_t *condition), "never parks; wakes the waiting fibers")  \
    /* rwlock.c */                                                                                                   \
    SHIM(pthread_rwlock_rdlock, thread, int, (pthread_rwlock_t *lock), "as pthread_mutex_lock")                      \
    SHIM(pthread_rwlock_wrlock, thread, int, (pthread_rwlock_t *lock), "as pthread_mutex_lock")                      \
    SHIM(pthread_rwlock_tryrdlock, thread, int, (pthread_rwlock_t *lock), "never parks")                             \
    SHIM(pthread_rwlock_trywrlock, thread, int, (pthread_rwlock_t *lock), "never parks")                             \
    SHIM(pthread_rwlock_timedrdlock, thread, int, (pthread_rwlock_t *lock, const struct timespec *limit),            \
         "as pthread_mutex_timedlock")                                                                               \
    SHIM(pthread_rwlock_timedwrlock, thread, int, (pthread_rwlock_t *lock, const struct timespec *limit),            \
         "as pthread_mutex_timedlock")                                                                               \
    SHIM(pthread_rwlock_clockrdlock, thread, int,                                                                    \
         (pthread_rwlock_t *lock, clockid_t clock, const struct timespec *limit), "as pthread_mutex_timedlock")      \
    SHIM(pthread_rwlock_clockwrlock, thread, int,                                                                    \
         (pthread_rwlock_t *lock, clockid_t clock, const struct timespec *limit), "as pthread_mutex_timedlock")      \
    SHIM(pthread_rwlock_unlock, thread, int, (pthread_rwlock_t *lock), "never parks; wakes the waiting fibers")      \
    /* semaphore.c */                                                                                                \
    SHIM(sem_wait, thread, int, (sem_t *semaphore), "parks until it is posted")                                      \
    SHIM(sem_timedwait, thread, int, (sem_t *semaphore, const struct timespec *limit), "as sem_wait")                \
    SHIM(sem_clockwait, thread, int, (sem_t *semaphore, clockid_t clock, const struct timespec *limit),              \
         "as sem_wait")                                                                                              \
    SHIM(sem_post, thread, int, (sem_t *semaphore), "never parks; wakes a waiting fiber")                            \
    /* c11.c */                                                                                                      \
    SHIM(mtx_lock, thread, int, (mtx_t *mutex), "as pthread_mutex_lock")                                             \
    SHIM(mtx_trylock, thread, int, (mtx_t *mutex), "as pthread_mutex_trylock")                                       \
    SHIM(mtx_timedlock, thread, int, (mtx_t *mutex, const struct timespec *limit), "as pthread_mutex_timedlock")     \
    SHIM(mtx_unlock, thread, int, (mtx_t *mutex), "as pthread_mutex_unlock")                                         \
    SHIM(cnd_wait, thread, int, (cnd_t *condition, mtx_t *mutex), "as pthread_cond_wait")                            \
    SHIM(cnd_timedwait, thread, int, (cnd_t *condition, mtx_t *mutex, const struct timespec *limit),                 \
         "as pthread_cond_timedwait")                                                                                \
    SHIM(cnd_signal, thread, int, (cnd_t *condition), "as pthread_cond_signal")                                      \
    SHIM(cnd_broadcast, thread, int, (cnd_t *condition), "as pthread_cond_broadcast")
#endif

// The sanitizers keep books about threads, closed by their own pthread_join.
#if defined(CBS_THREAD_SANITIZER) || defined(CBS_ADDRESS_SANITIZER)
#define CBS_JOIN_SHIMS(SHIM)
#else
#define CBS_JOIN_SHIMS(SHIM)                                                                                         \
    /* join.c */                                                                                                     \
    SHIM(pthread_join, thread, int, (pthread_t thread, void **result),                                               \
         "parks until the thread has ended; a kill does not end that")                                               \
    SHIM(pthread_timedjoin_np, thread, int, (pthread_t thread, void **result, const struct timespec *limit),         \
         "as pthread_join, until the limit")                                                                         \
    SHIM(pthread_clockjoin_np, thread, int,                                                                          \
         (pthread_t thread, void **result, clockid_t clock, const struct timespec *limit),                           \
         "as pthread_timedjoin_np")                                                                                  \
    SHIM(thrd_join, thread, int, (thrd_t thread, int *result), "as pthread_join")
#endif
