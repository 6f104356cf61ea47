// What the sanitizers must be told of a stack switch; nothing, and no code, in a build without them.
//
// The thread sanitizer keeps a history per fiber, the address sanitizer wants to know which stack is in use.
// Each function is called right before or after the switch it is named after, in the frame that switches.
#pragma once

#include "CFibers.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CF_TSAN 1
#endif
#if __has_feature(address_sanitizer)
#define CF_ASAN 1
#endif
#endif

// Inlined in unoptimised builds too: the thread sanitizer counts calls and returns, and a switch between the
// two would book them on different fibers.
#define CF_INLINE static inline __attribute__((always_inline))

#ifdef CF_TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif

#ifdef CF_ASAN
void __sanitizer_start_switch_fiber(void **fake_stack_save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack_save, const void **bottom_old, size_t *size_old);
void __asan_unpoison_memory_region(void const volatile *address, size_t size);
#endif

CF_INLINE void cf_sanitizer_prepared(cf_fiber *fiber) {
#ifdef CF_TSAN
    fiber->tsan_fiber = __tsan_create_fiber(0);
#endif
#ifdef CF_ASAN
    fiber->asan_fake_stack = NULL;
    // The bottom frame of the fiber before, which never returned, has left its red zones there.
    __asan_unpoison_memory_region(fiber->mapping, (size_t)((char *)fiber - (char *)fiber->mapping));
#endif
    (void)fiber;
}

CF_INLINE void cf_sanitizer_unmapping(cf_fiber *fiber) {
#ifdef CF_ASAN
    __asan_unpoison_memory_region(fiber->mapping, fiber->mapping_size);
#endif
    (void)fiber;
}

CF_INLINE void cf_sanitizer_resuming(cf_fiber *fiber) {
#ifdef CF_ASAN
    __sanitizer_start_switch_fiber(
        &fiber->asan_resumer_fake_stack, fiber->mapping, (size_t)((char *)fiber - (char *)fiber->mapping));
#endif
#ifdef CF_TSAN
    fiber->tsan_resumer = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber->tsan_fiber, 0);
#endif
    (void)fiber;
}

CF_INLINE void cf_sanitizer_resumer_is_back(cf_fiber *fiber) {
#ifdef CF_ASAN
    __sanitizer_finish_switch_fiber(fiber->asan_resumer_fake_stack, NULL, NULL);
#endif
#ifdef CF_TSAN
    if (fiber->is_finished) {
        __tsan_destroy_fiber(fiber->tsan_fiber);
    }
#endif
    (void)fiber;
}

/// `is_last`: the fiber will not come back, so its fake stack may go.
CF_INLINE void cf_sanitizer_parking(cf_fiber *fiber, int is_last) {
#ifdef CF_ASAN
    __sanitizer_start_switch_fiber(
        is_last ? NULL : &fiber->asan_fake_stack, fiber->asan_resumer_bottom, fiber->asan_resumer_size);
#endif
#ifdef CF_TSAN
    __tsan_switch_to_fiber(fiber->tsan_resumer, 0);
#endif
    (void)fiber;
    (void)is_last;
}

CF_INLINE void cf_sanitizer_fiber_is_back(cf_fiber *fiber) {
#ifdef CF_ASAN
    __sanitizer_finish_switch_fiber(
        fiber->asan_fake_stack, &fiber->asan_resumer_bottom, &fiber->asan_resumer_size);
#endif
    (void)fiber;
}
