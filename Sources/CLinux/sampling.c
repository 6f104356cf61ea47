#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // process_vm_readv, dladdr, registers in ucontext_t
#endif

#include "CLinux.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <ucontext.h>

size_t clinux_copy_memory(void *target, uintptr_t source, size_t length) {
    // By pages: a read that meets a hole in the middle of an element copies nothing of it.
    size_t done = 0;
    while (done < length) {
        size_t chunk = 4096 - ((source + done) & 4095);
        if (chunk > length - done) {
            chunk = length - done;
        }
        struct iovec to = {(char *)target + done, chunk};
        struct iovec from = {(void *)(source + done), chunk};
        ssize_t count = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
        if (count <= 0) {
            break;
        }
        done += (size_t)count;
    }
    return done;
}

// MARK: A thread that runs copies its stack itself, in the handler of a signal.

static int sample_signal = 0;
static pthread_mutex_t sample_lock = PTHREAD_MUTEX_INITIALIZER;
static clinux_sample *wanted = NULL;  ///< where the handler writes, once it has claimed the request

/// The request: whose sample is wanted and how far it is, in one word, so that a handler that comes late, after the
/// request was withdrawn, can claim neither that one, whose memory may be gone, nor one for another thread.
static uint32_t request = 0;

enum { ASKED = 1, WRITING = 2, TAKEN = 3 };

/// A thread's number takes 22 bits at most.
static uint32_t request_word(pid_t tid, uint32_t phase) {
    return (uint32_t)tid << 2 | phase;
}

static void take_sample(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    int error = errno;
    pid_t self = clinux_thread_id();
    uint32_t asked = request_word(self, ASKED);
    if (__atomic_compare_exchange_n(
            &request, &asked, request_word(self, WRITING), 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        clinux_sample *sample = __atomic_load_n(&wanted, __ATOMIC_ACQUIRE);
        const ucontext_t *registers = context;
#if defined(__x86_64__)
        sample->pc = (uintptr_t)registers->uc_mcontext.gregs[REG_RIP];
        sample->sp = (uintptr_t)registers->uc_mcontext.gregs[REG_RSP];
        sample->fp = (uintptr_t)registers->uc_mcontext.gregs[REG_RBP];
#elif defined(__aarch64__)
        sample->pc = registers->uc_mcontext.pc;
        sample->sp = registers->uc_mcontext.sp;
        sample->fp = registers->uc_mcontext.regs[29];
#endif
        sample->length = clinux_copy_memory(sample->stack, sample->sp, sizeof sample->stack);
        __atomic_store_n(&request, request_word(self, TAKEN), __ATOMIC_RELEASE);
        clinux_futex_wake(&request);
    }
    errno = error;
}

/// A real-time signal that nobody has a handler for, from the top, where fewest libraries look.
static int install_handler(void) {
    for (int number = SIGRTMAX - 1; number > SIGRTMIN; number--) {
        struct sigaction before;
        if (sigaction(number, NULL, &before) != 0 || before.sa_handler != SIG_DFL) {
            continue;
        }
        struct sigaction action = {.sa_sigaction = take_sample, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
        sigemptyset(&action.sa_mask);
        if (sigaction(number, &action, NULL) == 0) {
            sample_signal = number;
            return 0;
        }
    }
    return -EBUSY;
}

int clinux_allow_samples(void) {
    pthread_mutex_lock(&sample_lock);
    int result = sample_signal == 0 ? install_handler() : 0;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sample_signal);
    pthread_mutex_unlock(&sample_lock);
    return result != 0 ? result : -pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static int sample_running(pid_t tid, clinux_sample *sample) {
    if (sample_signal == 0) {
        return -ENOSYS;
    }
    uint32_t asked = request_word(tid, ASKED), taken = request_word(tid, TAKEN);
    __atomic_store_n(&wanted, sample, __ATOMIC_RELEASE);
    __atomic_store_n(&request, asked, __ATOMIC_RELEASE);
    __sync_synchronize();
    int result = 0;
    if (syscall(SYS_tgkill, getpid(), tid, sample_signal) != 0) {
        result = -errno;
    }
    // The thread may have the signal blocked, or wait for a processor: then the request is withdrawn.
    int64_t deadline = clinux_monotonic_ns() + 200 * 1000000;
    uint32_t phase;
    while ((phase = __atomic_load_n(&request, __ATOMIC_ACQUIRE)) != taken) {
        if (phase == asked && (result != 0 || clinux_monotonic_ns() >= deadline)) {
            if (__atomic_compare_exchange_n(&request, &phase, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
                sample->sp = 0;
                result = result != 0 ? result : -ETIMEDOUT;
                break;
            }
            continue;
        }
        // A handler that has claimed it is copying; that ends by itself.
        clinux_futex_wait(&request, phase, 10 * 1000000);
    }
    __atomic_store_n(&request, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&wanted, NULL, __ATOMIC_RELEASE);
    return result;
}

int clinux_sample_thread(pid_t tid, clinux_sample *sample) {
    pthread_mutex_lock(&sample_lock);
    *sample = (clinux_sample){.system_call = CLINUX_RUNNING};
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", (int)tid);
    char line[256] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t count = read(fd, line, sizeof line - 1);
        close(fd);
        line[count > 0 ? count : 0] = 0;
    }
    int result = 0;
    // `running`, or the call, its six arguments, stack pointer and program counter; −1 for a thread blocked elsewhere.
    if (line[0] == '-' || (line[0] >= '0' && line[0] <= '9')) {
        sample->system_call = strtol(line, NULL, 10);
        char *last = strrchr(line, ' ');
        if (last != NULL) {
            sample->pc = strtoull(last, NULL, 16);
            *last = 0;
            last = strrchr(line, ' ');
            sample->sp = last != NULL ? strtoull(last, NULL, 16) : 0;
        }
        sample->length = clinux_copy_memory(sample->stack, sample->sp, sizeof sample->stack);
    } else {
        result = sample_running(tid, sample);
    }
    pthread_mutex_unlock(&sample_lock);
    return result;
}

// MARK: Signal stacks

enum { SIGNAL_STACK_BYTES = 64 * 1024 };

static pthread_key_t signal_stack_key;
static pthread_once_t signal_stack_once = PTHREAD_ONCE_INIT;
static __thread int has_signal_stack = 0;

static void free_signal_stack(void *stack) {
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    munmap(stack, SIGNAL_STACK_BYTES);
}

static void make_signal_stack_key(void) { pthread_key_create(&signal_stack_key, free_signal_stack); }

int clinux_ensure_signal_stack(void) {
    if (has_signal_stack) {
        return 0;
    }
    stack_t before;
    if (sigaltstack(NULL, &before) == 0 && !(before.ss_flags & SS_DISABLE)) {
        has_signal_stack = 1;  // somebody else's, a sanitizer's or a backtracer's
        return 0;
    }
    void *stack = mmap(
        NULL, SIGNAL_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK,
        -1, 0);
    if (stack == MAP_FAILED) {
        return -errno;
    }
    stack_t ours = {.ss_sp = stack, .ss_size = SIGNAL_STACK_BYTES};
    if (sigaltstack(&ours, NULL) != 0) {
        int error = errno;
        munmap(stack, SIGNAL_STACK_BYTES);
        return -error;
    }
    pthread_once(&signal_stack_once, make_signal_stack_key);
    pthread_setspecific(signal_stack_key, stack);
    has_signal_stack = 1;
    return 0;
}

// MARK: Threads


void clinux_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

void clinux_futex_wait(const uint32_t *word, uint32_t expected, int64_t timeout_ns) {
    struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_ns < 0 ? NULL : &timeout, NULL, 0);
}

void clinux_futex_wake(const uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

int64_t clinux_clock_ns(clockid_t clock) {
    struct timespec used;
    if (clock_gettime(clock, &used) != 0) {
        return -1;
    }
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

clockid_t clinux_thread_clock(void) {
    clockid_t clock = CLOCK_MONOTONIC;
    pthread_getcpuclockid(pthread_self(), &clock);
    return clock;
}

size_t clinux_resident_bytes(void) {
    char line[128] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    ssize_t count = read(fd, line, sizeof line - 1);
    close(fd);
    line[count > 0 ? count : 0] = 0;
    char *second = strchr(line, ' ');
    return second == NULL ? 0 : strtoull(second, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

// MARK: Code

int clinux_follows_call(const unsigned char *address) {
#if defined(__x86_64__)
    if (address[-5] == 0xE8) {  // call rel32
        return 1;
    }
    // call r/m64, FF /2, in its lengths: register, [register], displacement of 8 and 32 bits, each with a prefix or not.
    for (int length = 2; length <= 7; length++) {
        if (address[-length] == 0xFF && (address[-length + 1] & 0x38) == 0x10) {
            return 1;
        }
    }
    return 0;
#elif defined(__aarch64__)
    uint32_t instruction;
    memcpy(&instruction, address - 4, sizeof instruction);
    // BL, and BLR with its authenticated forms
    return (instruction & 0xFC000000) == 0x94000000 || (instruction & 0xFEFFF000) == 0xD63F0000;
#endif
}

clinux_symbol clinux_find_symbol(uintptr_t address) {
    Dl_info info;
    if (dladdr((void *)address, &info) == 0) {
        return (clinux_symbol){0};
    }
    return (clinux_symbol){
        .file = info.dli_fname,
        .base = (uintptr_t)info.dli_fbase,
        .name = info.dli_sname,
        .address = (uintptr_t)info.dli_saddr,
    };
}
