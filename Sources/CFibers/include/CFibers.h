// Stack switching: a fiber is a C stack of its own that runs until it parks, and is resumed where it parked.
//
// One mapping per fiber, low addresses first:
//
//     +---------------------+ mapping
//     | guard page          |   touching it is a fault, never silent corruption
//     +---------------------+
//     | stack, grows down   |
//     |         ...         |
//     | first frame         |
//     +---------------------+
//     | struct cf_fiber     |   16-byte aligned, at the very top
//     +---------------------+ mapping + mapping_size
//
// A fiber belongs to the thread that created it: errno, thread-locals and the C++ runtime of the code on its
// stack are that thread's, so resuming it elsewhere is undefined.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// How many locks are known that a fiber holds.
#define CF_HOLDS 8

/// A lock that a fiber holds.
typedef struct cf_hold {
    const void *object;  ///< its address
    uint64_t number;     ///< grows with each of the thread: of two fibers that seem to hold one lock the later one does
} cf_hold;

typedef struct cf_fiber {
    void *stack_pointer;             ///< where the parked side left its registers
    void *mapping;                   ///< lowest address of the mapping (the guard page)
    size_t mapping_size;             ///< bytes mapped, guard page included
    void (*entry)(void *argument);   ///< what the fiber runs
    void *argument;                  ///< handed to `entry`
    void *owner;                     ///< free for the scheduler: its own object for this fiber
    void *task;                      ///< the Swift task that its code runs in when it may park; NULL: whichever
    struct cf_fiber *resumer;        ///< the fiber that resumed this one, NULL when plain thread code did
    int32_t saved_errno;             ///< errno of whichever side is parked
    int32_t is_finished;             ///< `entry` has returned; the fiber must not be resumed again
    int32_t held_locks;              ///< mutexes and read-write locks its code holds; kept by CBlockingShims
    int32_t is_in_hook;              ///< its code is inside a scheduler's hook; kept by CBlockingShims
    void *locals;                    ///< what is kept for its code until its end, NULL at first; kept by CBlockingShims
    void (*release_locals)(void *);  ///< called with `locals`, on the fiber, when `entry` has returned; not with NULL
    // Kept by cf_fiber_hold and its companions (holds.c).
    int32_t hold_count;              ///< of `holds`
    cf_hold holds[CF_HOLDS];         ///< locks that it holds, the oldest first
    struct cf_fiber *next_holder;    ///< another fiber of the thread that holds locks
    struct cf_fiber *previous_holder;  ///< the same, the other way
    // Whose code it runs, for the message when its stack is used up; see cf_fiber_label.
    uint64_t label_id;               ///< the greenlet's number
    const char *label_file;          ///< where it was spawned: a text that stays, or NULL
    uint32_t label_line;             ///< the line in it
    char label_name[44];             ///< its name, cut short; empty for the one made of the number
    // For the sanitizers, in builds with them; see sanitizers.h.
    void *tsan_fiber;                ///< the thread sanitizer's history of this stack
    void *tsan_resumer;              ///< the history of whoever resumed the fiber
    void *asan_fake_stack;           ///< the parked fiber's fake stack
    void *asan_resumer_fake_stack;   ///< the resumer's, while the fiber runs
    const void *asan_resumer_bottom; ///< lowest address of the resumer's stack
    size_t asan_resumer_size;        ///< bytes of it
} cf_fiber;

/// Maps a stack of at least `stack_size` usable bytes with a guard page below it. NULL with errno on failure.
cf_fiber *cf_fiber_map(size_t stack_size);

/// Whether guard pages are made by mprotect also where the kernel has guard regions (Linux 6.13): for tests of the other way.
void cf_guard_by_mprotect(int always);

/// Prepares a mapped fiber to run `entry(argument)` at the next `cf_fiber_resume`. May be repeated once the
/// fiber has finished, which is how stacks are re-used.
void cf_fiber_prepare(cf_fiber *fiber, void (*entry)(void *), void *argument);

/// Runs the fiber on the calling thread until it parks or finishes. Returns 1 once it has finished.
int cf_fiber_resume(cf_fiber *fiber);

/// Parks the calling fiber: returns from the `cf_fiber_resume` that runs it. Must be called on a fiber.
void cf_fiber_park(void);

/// The fiber running on this thread, or NULL. Every shim reads it first, so it is a plain thread-local, and lies in the block
/// that a thread has from its start: any other model is compiled as a call, and a function that calls saves registers first.
extern __thread cf_fiber *cf_current_fiber __attribute__((tls_model("initial-exec")));

static inline cf_fiber *cf_fiber_current(void) { return cf_current_fiber; }

// Who holds which lock, for reports of deadlocks. Exact for fibers of one thread as long as each lock is given back by the
// calls below; of more than CF_HOLDS locks of a fiber the last ones are not known, and of other threads nothing is.

/// The running fiber holds `object` from now on, once more if it does already.
void cf_fiber_hold(const void *object);

/// Takes back one `cf_fiber_hold` of `object`, whoever of this thread's fibers holds it. On and off fibers.
void cf_fiber_unhold(const void *object);

/// The fiber of this thread that holds `object`, or NULL when none is known to.
cf_fiber *cf_fiber_holder(const void *object);

/// How many fibers, of all threads, are parked with a lock, and how many wait for one (kept by CBlockingShims). While it is zero no
/// lock that code off fibers gives back is of interest to a fiber.
extern int cf_lock_interest;

/// Gives the memory of a finished fiber's stack back to the system, but for the part that every fiber touches; the address
/// space stays. The high-water mark begins anew.
void cf_fiber_trim(cf_fiber *fiber);

/// Gives the mapping back. The fiber must be finished or never have run: frames still on it are not unwound.
void cf_fiber_unmap(cf_fiber *fiber);

/// Says whose code the fiber is going to run. `file` must stay; `name` is copied, and may be NULL.
void cf_fiber_label(cf_fiber *fiber, uint64_t id, const char *file, uint32_t line, const char *name);

/// From now on a fiber that runs into its guard page ends the process with a message that names it, and with SIGABRT. Other
/// faults go where they went before. Needs a signal stack in each thread that runs fibers. Once a process. Returns 1; 0 in a
/// build with the address sanitizer, which tells of overflows itself and is left to it.
int cf_report_overflows(void);

/// Usable bytes of the fiber's stack.
size_t cf_fiber_stack_size(const cf_fiber *fiber);

/// Bytes of the stack that were ever touched since it was mapped, in whole pages: which of them have memory is asked of the
/// kernel, so that it costs nothing while fibers run. Pages swapped out at the deep end do not count.
size_t cf_fiber_stack_high_water(const cf_fiber *fiber);

/// Usable bytes of stack left below the caller's frame, or SIZE_MAX off a fiber.
size_t cf_fiber_stack_left(void);
