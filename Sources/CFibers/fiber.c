#include "CFibers.h"
#include "holds.h"
#include "sanitizers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102  // Linux 6.13
#endif

__thread cf_fiber *cf_current_fiber = NULL;

// switch.S: pushes the callee-saved registers, stores the stack pointer in *save, loads `load`, pops and
// returns.
extern void cf_switch(void **save, void *load);
// switch.S: first return address of a fresh stack; calls cf_fiber_main with the fiber it finds in a register.
extern void cf_trampoline(void);

static int guards_by_mprotect = 0;

void cf_guard_by_mprotect(int always) { guards_by_mprotect = always; }

cf_fiber *cf_fiber_map(size_t stack_size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (stack_size + sizeof(cf_fiber) + page - 1) / page * page + page;
    void *mapping = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapping == MAP_FAILED) {
        return NULL;
    }
    // A guard made by mprotect splits the mapping in two, and vm.max_map_count (65,530) then bounds the
    // number of fibers; the kernel's own guard regions need no second mapping. Older kernels answer EINVAL.
    if ((guards_by_mprotect || madvise(mapping, page, MADV_GUARD_INSTALL) != 0) &&
        mprotect(mapping, page, PROT_NONE) != 0) {
        int error = errno;
        munmap(mapping, size);
        errno = error;
        return NULL;
    }
    uintptr_t top = ((uintptr_t)mapping + size - sizeof(cf_fiber)) & ~(uintptr_t)15;
    cf_fiber *fiber = (cf_fiber *)top;
    *fiber = (cf_fiber){.mapping = mapping, .mapping_size = size, .is_finished = 1};
    return fiber;
}

void cf_fiber_unmap(cf_fiber *fiber) {
    cf_sanitizer_unmapping(fiber);
    munmap(fiber->mapping, fiber->mapping_size);
}

void cf_fiber_trim(cf_fiber *fiber) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t bottom = (uintptr_t)fiber->mapping + page;
    uintptr_t kept = ((uintptr_t)fiber & ~(uintptr_t)(page - 1)) - page;  // with this struct, and a page of frames
    if (kept > bottom) {
        int error = errno;
        madvise((void *)bottom, kept - bottom, MADV_DONTNEED);
        errno = error;
    }
}

void cf_fiber_prepare(cf_fiber *fiber, void (*entry)(void *), void *argument) {
    fiber->entry = entry;
    fiber->argument = argument;
    fiber->is_finished = 0;
    fiber->saved_errno = 0;
    fiber->held_locks = 0;
    fiber->is_in_hook = 0;
    fiber->locals = NULL;
    fiber->task = NULL;
    fiber->resumer = NULL;
    cf_sanitizer_prepared(fiber);
    void **sp = (void **)fiber;
#if defined(__x86_64__)
    // Mirror of the pops in cf_switch, see switch.S. After `ret` into the trampoline the stack pointer is
    // 16-byte aligned, and the trampoline's call leaves it as the ABI wants it at a function's entry.
    *--sp = NULL;                   // alignment
    *--sp = NULL;                   // end of the frame chain for unwinders
    *--sp = (void *)cf_trampoline;  // return address
    *--sp = NULL;                   // rbp
    *--sp = NULL;                   // rbx
    *--sp = (void *)fiber;          // r12: read by the trampoline
    *--sp = NULL;                   // r13
    *--sp = NULL;                   // r14
    *--sp = NULL;                   // r15
    *--sp = (void *)(uintptr_t)0x0000037f00001f80;  // MXCSR (low half) and x87 control word: ABI defaults
#elif defined(__aarch64__)
    // 20 slots: x19..x30, d8..d15; x30 is where `ret` goes.
    sp -= 20;
    for (int i = 0; i < 20; i++) {
        sp[i] = NULL;
    }
    sp[0] = (void *)fiber;           // x19: read by the trampoline
    sp[11] = (void *)cf_trampoline;  // x30
#else
#error "stack switching is written for x86-64 and AArch64"
#endif
    fiber->stack_pointer = sp;
}

int cf_fiber_resume(cf_fiber *fiber) {
    cf_fiber *resumer = cf_current_fiber;
    fiber->resumer = resumer;
    cf_current_fiber = fiber;
    int error = errno;
    errno = fiber->saved_errno;
    cf_sanitizer_resuming(fiber);
    cf_switch(&fiber->stack_pointer, fiber->stack_pointer);
    cf_sanitizer_resumer_is_back(fiber);
    fiber->saved_errno = errno;
    errno = error;
    cf_current_fiber = resumer;
    return fiber->is_finished;
}

void cf_fiber_park(void) {
    cf_fiber *fiber = cf_current_fiber;
    // Only its own code changes what it holds, but for what others give back while it is parked.
    int holds = fiber->hold_count != 0;
    if (__builtin_expect(holds, 0)) {
        __atomic_fetch_add(&cf_lock_interest, 1, __ATOMIC_RELAXED);
    }
    cf_sanitizer_parking(fiber, 0);
    cf_switch(&fiber->stack_pointer, fiber->stack_pointer);
    cf_sanitizer_fiber_is_back(fiber);
    if (__builtin_expect(holds, 0)) {
        __atomic_fetch_sub(&cf_lock_interest, 1, __ATOMIC_RELAXED);
    }
}

size_t cf_fiber_stack_left(void) {
    cf_fiber *fiber = cf_current_fiber;
    if (fiber == NULL) {
        return SIZE_MAX;
    }
    uintptr_t low = (uintptr_t)fiber->mapping + (uintptr_t)sysconf(_SC_PAGESIZE);
    return (uintptr_t)__builtin_frame_address(0) - low;
}

size_t cf_fiber_stack_size(const cf_fiber *fiber) {
    return (size_t)((const char *)fiber - (const char *)fiber->mapping) - (size_t)sysconf(_SC_PAGESIZE);
}

size_t cf_fiber_stack_high_water(const cf_fiber *fiber) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = fiber->mapping_size / page;
    unsigned char resident[256];
    // From the guard page up: the first page with memory is the deepest that was touched.
    for (size_t first = 1; first < pages; first += sizeof resident) {
        size_t count = pages - first < sizeof resident ? pages - first : sizeof resident;
        if (mincore((char *)fiber->mapping + first * page, count * page, resident) != 0) {
            return 0;
        }
        for (size_t i = 0; i < count; i++) {
            if (resident[i] & 1) {
                return (size_t)((const char *)fiber - ((const char *)fiber->mapping + (first + i) * page));
            }
        }
    }
    return 0;
}

/// Bottom frame of every fiber, called by the trampoline.
__attribute__((noreturn)) void cf_fiber_main(cf_fiber *fiber) {
    cf_sanitizer_fiber_is_back(fiber);
    fiber->entry(fiber->argument);
    if (fiber->locals != NULL) {
        fiber->release_locals(fiber->locals);
        fiber->locals = NULL;
    }
    if (fiber->hold_count != 0) {
        cf_fiber_forget_holds(fiber);
    }
    fiber->is_finished = 1;
    cf_sanitizer_parking(fiber, 1);
    cf_switch(&fiber->stack_pointer, fiber->stack_pointer);
    abort();  // a finished fiber was resumed: the scheduler is broken beyond repair
}
