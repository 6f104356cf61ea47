// The tables of waiting fibers and of owners.
#include "waiters.h"

#include "forks.h"

// Mutexes hold no shim back in a build with the thread sanitizer: then nobody calls what is here.
#ifndef CBS_THREAD_SANITIZER

#define CBS_BUCKETS 512

typedef struct cbs_owner_entry {
    struct cbs_owner_entry *next;  ///< in the bucket
    const void *object;            ///< what is owned
    const cf_fiber *fiber;         ///< by whom
    unsigned count;                ///< how often
} cbs_owner_entry;

// Guards both tables. Taken through CBS_REAL, never held across a hook, a park or malloc's caller.
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static struct {
    cbs_waiter *first;
    cbs_waiter *last;
} lines[CBS_BUCKETS];
static uint64_t entries = 0;  ///< waiters that ever entered a line
static cbs_owner_entry *owners[CBS_BUCKETS];

static size_t bucket_of(const void *object) {
    return (size_t)(((uintptr_t)object >> 3) * UINT64_C(0x9E3779B97F4A7C15) >> 55) % CBS_BUCKETS;
}

static void lock_guard(void) { CBS_REAL(pthread_mutex_lock)(&guard); }
static void unlock_guard(void) { CBS_REAL(pthread_mutex_unlock)(&guard); }

/// In a child process: the fibers that wait in the tables are the parent's and never run here, whoever held the guard
/// is not here either.
void cbs_waiters_forked(void) {
    guard = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    memset(lines, 0, sizeof lines);
    memset(owners, 0, sizeof owners);
    cf_lock_interest = 0;
}

// MARK: Waiters

/// Takes `waiter` out of its line; the guard is held.
static void unlink_waiter(cbs_waiter *waiter) {
    size_t bucket = bucket_of(waiter->object);
    if (waiter->previous != NULL) {
        waiter->previous->next = waiter->next;
    } else {
        lines[bucket].first = waiter->next;
    }
    if (waiter->next != NULL) {
        waiter->next->previous = waiter->previous;
    } else {
        lines[bucket].last = waiter->previous;
    }
    waiter->is_queued = 0;
    __atomic_fetch_sub(&cf_lock_interest, 1, __ATOMIC_RELAXED);
}

int cbs_waiter_enter(
    cbs_waiter *waiter, const cbs_hook_table *hooks, enum cbs_lock_type type, const void *object, int position) {
    *waiter = (cbs_waiter){
        .object = object, .hooks = hooks, .wait = cbs_wait_begin(hooks, type, object), .is_queued = 1};
    if (waiter->wait == NULL) {
        return -ENOMEM;
    }
    size_t bucket = bucket_of(object);
    lock_guard();
    waiter->number = ++entries;
    if (position == CBS_AT_FRONT) {
        waiter->next = lines[bucket].first;
        lines[bucket].first = waiter;
        *(waiter->next != NULL ? &waiter->next->previous : &lines[bucket].last) = waiter;
    } else {
        waiter->previous = lines[bucket].last;
        lines[bucket].last = waiter;
        *(waiter->previous != NULL ? &waiter->previous->next : &lines[bucket].first) = waiter;
    }
    __atomic_fetch_add(&cf_lock_interest, 1, __ATOMIC_SEQ_CST);
    unlock_guard();
    return 0;
}

/// Leaves the line. Returns whether somebody had taken the waiter out already, and woke it or will.
static int leave_line(cbs_waiter *waiter) {
    lock_guard();
    int was_queued = waiter->is_queued;
    if (was_queued) {
        unlink_waiter(waiter);
    }
    unlock_guard();
    if (was_queued) {
        cbs_wait_end(waiter->hooks, waiter->wait);  // the waker's ownership: there will be none
    }
    cbs_wait_end(waiter->hooks, waiter->wait);
    return !was_queued;
}

int cbs_waiter_park(cbs_waiter *waiter, int64_t deadline, int is_killable) {
    int result = cbs_wait_park(waiter->hooks, waiter->wait, deadline, is_killable);
    // A wake that came at the same time as the deadline or a kill has been given to this waiter and to nobody else.
    return leave_line(waiter) ? 1 : result;
}

void cbs_waiter_leave(cbs_waiter *waiter) { leave_line(waiter); }

void cbs_wake(const void *object, int count) {
    int error = errno;
    size_t bucket = bucket_of(object);
    uint64_t newest = 0;
    for (int woken = 0; woken < count; woken++) {
        lock_guard();
        // One that was woken on another thread may have come back already: that is no reason to go on for ever.
        newest = woken == 0 ? entries : newest;
        cbs_waiter *waiter = lines[bucket].first;
        while (waiter != NULL && (waiter->object != object || waiter->number > newest)) {
            waiter = waiter->next;
        }
        if (waiter == NULL) {
            unlock_guard();
            break;
        }
        unlink_waiter(waiter);
        // The fiber may go on, and the waiter be gone, as soon as the guard is free; the wait is half ours.
        const cbs_hook_table *hooks = waiter->hooks;
        void *wait = waiter->wait;
        unlock_guard();
        cf_fiber *fiber = cf_fiber_current();
        int32_t outer = fiber != NULL ? fiber->is_in_hook : 0;
        if (fiber != NULL) {
            fiber->is_in_hook = 1;
        }
        hooks->wait_wake(wait);
        if (fiber != NULL) {
            fiber->is_in_hook = outer;
        }
    }
    errno = error;
}

void cbs_lock_was_released(const void *lock, int count) {
    // Before the wake: who goes on asks who holds the lock.
    cf_fiber_unhold(lock);
    cbs_wake(lock, count);
}

int cbs_pause(const cbs_hook_table *hooks, int64_t duration) {
    void *wait = cbs_wait_begin(hooks, CBS_NO_LOCK, NULL);
    if (wait == NULL) {
        return -ENOMEM;
    }
    int result = cbs_wait_park(hooks, wait, cbs_deadline(duration), 0);
    cbs_wait_end(hooks, wait);
    cbs_wait_end(hooks, wait);
    return result < 0 ? result : 0;
}

// MARK: Owners

/// Where the entry for `object` hangs, or the end of its bucket; the guard is held.
static cbs_owner_entry **entry_of(const void *object) {
    cbs_owner_entry **entry = &owners[bucket_of(object)];
    while (*entry != NULL && (*entry)->object != object) {
        entry = &(*entry)->next;
    }
    return entry;
}

const cf_fiber *cbs_owner(const void *object) {
    lock_guard();
    cbs_owner_entry *entry = *entry_of(object);
    const cf_fiber *fiber = entry == NULL ? NULL : entry->fiber;
    unlock_guard();
    return fiber;
}

void cbs_own(const void *object, const cf_fiber *fiber) {
    cbs_owner_entry *made = malloc(sizeof *made);
    lock_guard();
    cbs_owner_entry **place = entry_of(object);
    if (*place == NULL && made != NULL) {
        *made = (cbs_owner_entry){.object = object, .count = 0};
        *place = made;
        made = NULL;
    }
    if (*place != NULL) {
        // An entry of somebody else's is left from a mutex that was destroyed or given back by a thread.
        (*place)->count = (*place)->fiber == fiber ? (*place)->count + 1 : 1;
        (*place)->fiber = fiber;
    }
    unlock_guard();
    free(made);
}

void cbs_disown(const void *object) {
    lock_guard();
    cbs_owner_entry **place = entry_of(object);
    cbs_owner_entry *entry = *place;
    if (entry != NULL && --entry->count == 0) {
        *place = entry->next;
    } else {
        entry = NULL;
    }
    unlock_guard();
    free(entry);
}

// MARK: Locks

/// How long a fiber blocks its thread for a lock of another thread before it parks: longer than a thread that the
/// kernel has set aside with the lock in its hands usually takes to come back. For to park is to let other code of the
/// thread run, where nobody expects it, in the middle of a runtime's own work or of a program's: most locks are held for less
/// than a park takes, and their users count on going on.
#define CBS_LONG_BLOCK (CBS_SECOND / 20)

/// The same where it may be another fiber of the thread that holds the lock, which then cannot give it back meanwhile.
#define CBS_SHORT_BLOCK (CBS_SECOND / 10000)

/// The same for a fiber that holds a lock already. Were it parked, code off fibers that wants the lock it holds would
/// block the thread for ever; the other thread, which runs, gives up its own sooner or later.
#define CBS_NESTED_BLOCK (CBS_SECOND / 10)

static int block_for(const cbs_lock_kind *kind, void *object, int64_t duration) {
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    int64_t nanoseconds = limit.tv_nsec + duration;
    limit.tv_sec += nanoseconds / CBS_SECOND;
    limit.tv_nsec = nanoseconds % CBS_SECOND;
    return kind->block(object, &limit);
}

static CBS_SLOW int wait_for_lock(
    const cbs_hook_table *hooks, const cbs_lock_kind *kind, void *object, int64_t deadline) {
    int64_t nap = CBS_MILLISECOND;
    int holder = cbs_held_by(kind->type, object);
    if (holder != CBS_HELD_HERE) {
        int64_t left = deadline == CBS_NEVER ? CBS_NEVER : deadline - cbs_now();
        int64_t limit = holder == CBS_HELD_BY_UNKNOWN ? CBS_SHORT_BLOCK
            : cf_fiber_current()->held_locks > 0      ? CBS_NESTED_BLOCK
                                                      : CBS_LONG_BLOCK;
        int result = left <= 0 ? ETIMEDOUT : block_for(kind, object, left < limit ? left : limit);
        if (result != ETIMEDOUT) {
            return result;
        }
    }
    for (int position = CBS_AT_BACK;; position = CBS_AT_FRONT) {
        cbs_waiter waiter;
        int parked = cbs_waiter_enter(&waiter, hooks, kind->type, object, position);
        int result = kind->attempt(object);
        if (result != EBUSY || parked < 0) {
            if (parked == 0) {
                cbs_waiter_leave(&waiter);
            }
            return result == EBUSY ? ENOMEM : result;
        }
        // A fiber of this thread gives it back through a shim. Another thread may do so inside libc, as it waits for
        // a condition: then nobody wakes us, so look from time to time.
        int64_t end = cbs_held_by(kind->type, object) == CBS_HELD_HERE ? CBS_NEVER : cbs_deadline(nap);
        nap = nap < 16 * CBS_MILLISECOND ? nap * 2 : nap;
        end = end < deadline ? end : deadline;
        parked = cbs_waiter_park(&waiter, end, 0);
        if (parked == 0 && end == deadline) {
            result = kind->attempt(object);
            return result == EBUSY ? ETIMEDOUT : result;
        }
        if (parked < 0) {
            // No scheduler that could park this fiber: as without shims, the thread blocks.
            while (deadline == CBS_NEVER && (result = block_for(kind, object, CBS_SECOND)) == ETIMEDOUT) {
            }
            return deadline == CBS_NEVER ? result : block_for(kind, object, deadline - cbs_now());
        }
    }
}

int cbs_lock(const cbs_hook_table *hooks, const cbs_lock_kind *kind, void *object, int64_t deadline) {
    int result = kind->attempt(object);
    if (result == EBUSY) {
        result = wait_for_lock(hooks, kind, object, deadline);
    }
    if (result == 0 || result == EOWNERDEAD) {
        cbs_note_locked(object, kind->is_shared);
    }
    return result;
}

int cbs_deadline_at(clockid_t clock, const struct timespec *limit, int64_t *deadline) {
    struct timespec now;
    if (limit->tv_nsec < 0 || limit->tv_nsec >= CBS_SECOND || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)) {
        return EINVAL;
    }
    clock_gettime(clock, &now);
    int64_t left = limit->tv_sec < 0
        ? 0 : cbs_nanoseconds(limit->tv_sec, limit->tv_nsec) - cbs_nanoseconds(now.tv_sec, now.tv_nsec);
    *deadline = cbs_deadline(left > 0 ? left : 0);
    return 0;
}

#endif
