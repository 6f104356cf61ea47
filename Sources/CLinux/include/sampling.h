// The stack of another thread of the process, as it is now, and signal stacks.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CLINUX_SAMPLE_BYTES = 64 * 1024,
    CLINUX_RUNNING = -1,  ///< not in a system call
};

/// What was found of a thread: its registers and the part of its stack next to the stack pointer.
typedef struct clinux_sample {
    uintptr_t pc;      ///< where it executes
    uintptr_t sp;      ///< its stack pointer; 0 when nothing was found
    uintptr_t fp;      ///< its frame pointer, or 0 where that is not known: in a system call
    long system_call;  ///< the number of the call it is blocked in, or CLINUX_RUNNING
    size_t length;     ///< bytes of `stack`
    char stack[CLINUX_SAMPLE_BYTES] __attribute__((aligned(8)));  ///< copied from `sp` upward
} clinux_sample;

/// The copied bytes; Swift does not import arrays of that size.
static inline const char *clinux_sample_stack(const clinux_sample *sample) { return sample->stack; }

/// Looks at thread `tid` of this process. Returns 0, or −errno when nothing can be seen of it.
///
/// A thread blocked in a system call is not disturbed: a signal would make sleep(3), poll(2) and others return early. One
/// that runs gets a real-time signal that nobody else uses, and copies its own stack. One caller at a time.
int clinux_sample_thread(pid_t tid, clinux_sample *sample);

/// Makes the calling thread one that can be sampled while it runs, for good. Returns 0, or −errno when no signal is free.
///
/// Threads of the Swift runtime block nearly all signals, and their children inherit that.
int clinux_allow_samples(void);

/// Copies memory of this process that may not be there. Returns how much could be copied.
size_t clinux_copy_memory(void *target, uintptr_t source, size_t length);

/// Gives the calling thread a stack for signal handlers, unless it has one. It goes with the thread. Returns 0 or −errno.
int clinux_ensure_signal_stack(void);

/// Names the calling thread, in at most 15 bytes, for ps(1) and debuggers.
void clinux_name_thread(const char *name);

/// Waits while `*word` is `expected`, until woken or for `timeout_ns` (negative: for ever). May return early.
void clinux_futex_wait(const uint32_t *word, uint32_t expected, int64_t timeout_ns);

/// Wakes all who wait for `word`.
void clinux_futex_wake(const uint32_t *word);

/// Whether the bytes before a code address are a call, so that it can be a return address. The code must be readable.
int clinux_follows_call(const unsigned char *address);

/// The function that the call right before a return address called, where the instruction and the linker's stub behind it say
/// so; 0 where not, as for a call by a register. Any thread; memory that is gone is not read.
uintptr_t clinux_call_target(uintptr_t return_address);

/// Adds to the functions that reports name as known to block: `count` texts, each a pointer `stride` bytes behind the one before.
/// All of it stays. Before main, by constructors; a few tables at most.
void clinux_add_blocking_calls(const char *const *first, size_t stride, size_t count);

/// Whether a function was added so.
int clinux_is_blocking_call(const char *name);

/// The dynamic symbol that an address belongs to, and the file: dladdr(3), in words that Swift can use.
typedef struct clinux_symbol {
    const char *file;   ///< the file's path as the loader knows it, or NULL when the address is in none
    uintptr_t base;     ///< where it is loaded
    const char *name;   ///< the nearest symbol below, or NULL
    uintptr_t address;  ///< of that symbol
} clinux_symbol;
clinux_symbol clinux_find_symbol(uintptr_t address);

/// The names of the functions at `count` offsets from where a file is loaded, from the file's own symbol table: it knows what
/// no other file can see, too. A name is to be freed, or NULL where there is none. For 64-bit ELF files.
void clinux_symbol_names(const char *path, const uintptr_t *offsets, size_t count, char **names);

/// Bytes of memory the process has resident, or 0 when that cannot be told.
size_t clinux_resident_bytes(void);

/// Nanoseconds of processor time that a thread has used, by its clock; negative when it is gone.
int64_t clinux_clock_ns(clockid_t clock);
clockid_t clinux_thread_clock(void);

/// The name of a system call that blocks, or NULL for one without a name here.
const char *clinux_system_call_name(long number);
