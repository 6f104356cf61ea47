#include "holds.h"

#include <stddef.h>
#include <string.h>

int cf_lock_interest = 0;

/// The fibers of the thread that hold locks.
static __thread cf_fiber *holders __attribute__((tls_model("initial-exec"))) = NULL;
static __thread uint64_t last_number __attribute__((tls_model("initial-exec"))) = 0;

static void unlink_holder(cf_fiber *fiber) {
    if (fiber->previous_holder != NULL) {
        fiber->previous_holder->next_holder = fiber->next_holder;
    } else {
        holders = fiber->next_holder;
    }
    if (fiber->next_holder != NULL) {
        fiber->next_holder->previous_holder = fiber->previous_holder;
    }
    fiber->next_holder = fiber->previous_holder = NULL;
}

void cf_fiber_hold(const void *object) {
    cf_fiber *fiber = cf_fiber_current();
    if (fiber->hold_count == CF_HOLDS) {
        return;
    }
    if (fiber->hold_count == 0) {
        fiber->next_holder = holders;
        if (holders != NULL) {
            holders->previous_holder = fiber;
        }
        holders = fiber;
    }
    fiber->holds[fiber->hold_count++] = (cf_hold){.object = object, .number = ++last_number};
}

/// The latest entry for `object` of one fiber, or −1.
static int32_t index_of(const cf_fiber *fiber, const void *object) {
    int32_t index = fiber->hold_count - 1;
    while (index >= 0 && fiber->holds[index].object != object) {
        index--;
    }
    return index;
}

/// The latest entry for `object` of all, or NULL.
static cf_fiber *find(const void *object, int32_t *index) {
    cf_fiber *latest = NULL;
    for (cf_fiber *fiber = holders; fiber != NULL; fiber = fiber->next_holder) {
        int32_t place = index_of(fiber, object);
        if (place >= 0 && (latest == NULL || fiber->holds[place].number > latest->holds[*index].number)) {
            latest = fiber;
            *index = place;
        }
    }
    return latest;
}

cf_fiber *cf_fiber_holder(const void *object) {
    int32_t index = 0;
    return find(object, &index);
}

void cf_fiber_unhold(const void *object) {
    cf_fiber *fiber = cf_fiber_current();
    int32_t index = fiber != NULL ? index_of(fiber, object) : -1;
    if (index < 0) {
        fiber = find(object, &index);
    }
    if (fiber == NULL) {
        return;
    }
    fiber->hold_count--;
    memmove(
        &fiber->holds[index], &fiber->holds[index + 1], (size_t)(fiber->hold_count - index) * sizeof(cf_hold));
    if (fiber->hold_count == 0) {
        unlink_holder(fiber);
    }
}

void cf_fiber_forget_holds(cf_fiber *fiber) {
    fiber->hold_count = 0;
    unlink_holder(fiber);
}
