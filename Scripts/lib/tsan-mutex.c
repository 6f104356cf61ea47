// Tells the thread sanitizer of Swift's Mutex. Preloaded into instrumented test programs by Scripts/sanitize.
//
// Synchronization.Mutex is a priority-inheriting futex: one word with the owner's thread number. The fast paths, a compare-and-swap
// each, are inlined into the caller, where the sanitizer sees them. The contended ones live in libswiftSynchronization.so, which is
// not instrumented, and there the kernel passes the word on: no atomic operation of the program says that the next owner comes
// after the last one, and everything under the lock looks like a race. The two functions below stand before the library's own
// and say so. A rename in a future toolchain shows as such reports, with Mutex.withLock in both stacks.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

// Weak: absent in programs without the sanitizer, which may inherit the preload.
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

// Swift's calling convention: `self`, the address of the word, comes in the context register.
typedef __attribute__((swiftcall)) void lock_function(uint32_t thread, __attribute__((swift_context)) void *word);
typedef __attribute__((swiftcall)) void unlock_function(__attribute__((swift_context)) void *word);

static void *next(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL) {
        abort(); // nobody calls these without the library that defines them
    }
    return function;
}

__attribute__((swiftcall)) void lock_slow(uint32_t thread, __attribute__((swift_context)) void *word) __asm__(LOCK_SLOW);
__attribute__((swiftcall)) void lock_slow(uint32_t thread, __attribute__((swift_context)) void *word) {
    ((lock_function *)next(LOCK_SLOW))(thread, word);
    if (__tsan_acquire) {
        __tsan_acquire(word);
    }
}

__attribute__((swiftcall)) void unlock_slow(__attribute__((swift_context)) void *word) __asm__(UNLOCK_SLOW);
__attribute__((swiftcall)) void unlock_slow(__attribute__((swift_context)) void *word) {
    if (__tsan_release) {
        __tsan_release(word);
    }
    ((unlock_function *)next(UNLOCK_SLOW))(word);
}
