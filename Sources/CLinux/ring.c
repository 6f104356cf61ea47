#include "CLinux.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

// Newer than some headers; kernels that do not know them answer EINVAL, or ignore what is not asked for.
#ifndef IORING_SETUP_SUBMIT_ALL
#define IORING_SETUP_SUBMIT_ALL (1U << 7)
#endif
#ifndef IORING_FEAT_RSRC_TAGS
#define IORING_FEAT_RSRC_TAGS (1U << 10)
#endif
#ifndef IORING_FEAT_CQE_SKIP
#define IORING_FEAT_CQE_SKIP (1U << 11)
#endif
#ifndef IORING_POLL_ADD_MULTI
#define IORING_POLL_ADD_MULTI (1U << 0)
#endif
#ifndef IOSQE_CQE_SKIP_SUCCESS
#define IOSQE_CQE_SKIP_SUCCESS (1U << 6)
#endif
#ifndef IORING_CQE_F_MORE
#define IORING_CQE_F_MORE (1U << 1)
#endif

// One mapping for both queues (5.4), completions that are never dropped (5.5), reads and writes at the current position
// (5.6), a time-out in io_uring_enter (5.11), and polls that go on reporting (5.13, whose sign is RSRC_TAGS).
static const unsigned needed_features = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_RW_CUR_POS |
                                        IORING_FEAT_EXT_ARG | IORING_FEAT_RSRC_TAGS;

int clinux_ring_init(clinux_ring *ring, unsigned submissions, unsigned completions) {
    memset(ring, 0, sizeof *ring);
    ring->fd = -1;
    // No IORING_SETUP_COOP_TASKRUN: a completion would wait until the thread that submitted it enters the kernel by
    // itself, and that thread may have handed its reactor to another, or be computing while another loop watches ours.
    struct io_uring_params parameters = {
        .flags = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL,
        .cq_entries = completions,
    };
    int fd = (int)syscall(SYS_io_uring_setup, submissions, &parameters);
    if (fd < 0 && errno == EINVAL) {  // before 5.18: one bad submission ends a batch early, and enter is called again
        memset(&parameters, 0, sizeof parameters);
        parameters.flags = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;
        parameters.cq_entries = completions;
        fd = (int)syscall(SYS_io_uring_setup, submissions, &parameters);
    }
    if (fd < 0) {
        return -errno;
    }
    if ((parameters.features & needed_features) != needed_features) {
        close(fd);
        return -EOPNOTSUPP;
    }
    size_t submission_bytes = parameters.sq_off.array + parameters.sq_entries * sizeof(uint32_t);
    size_t completion_bytes = parameters.cq_off.cqes + parameters.cq_entries * sizeof(struct io_uring_cqe);
    ring->queue_bytes = submission_bytes > completion_bytes ? submission_bytes : completion_bytes;
    ring->entry_bytes = parameters.sq_entries * sizeof(struct io_uring_sqe);
    char *queues = mmap(
        NULL, ring->queue_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQ_RING);
    void *entries = mmap(
        NULL, ring->entry_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQES);
    if (queues == MAP_FAILED || entries == MAP_FAILED) {
        int error = errno;
        if (queues != MAP_FAILED) munmap(queues, ring->queue_bytes);
        if (entries != MAP_FAILED) munmap(entries, ring->entry_bytes);
        close(fd);
        return -error;
    }
    ring->fd = fd;
    ring->skips_success = (parameters.features & IORING_FEAT_CQE_SKIP) != 0;
    ring->queues = queues;
    ring->entries = entries;
    ring->sq_head = (uint32_t *)(queues + parameters.sq_off.head);
    ring->sq_tail = (uint32_t *)(queues + parameters.sq_off.tail);
    ring->sq_flags = (const uint32_t *)(queues + parameters.sq_off.flags);
    ring->sq_mask = *(uint32_t *)(queues + parameters.sq_off.ring_mask);
    ring->sq_count = parameters.sq_entries;
    ring->cq_head = (uint32_t *)(queues + parameters.cq_off.head);
    ring->cq_tail = (uint32_t *)(queues + parameters.cq_off.tail);
    ring->cq_mask = *(uint32_t *)(queues + parameters.cq_off.ring_mask);
    ring->completions = queues + parameters.cq_off.cqes;
    ring->tail = *ring->sq_tail;
    // The array says which entry each place of the submission queue means. Ours are used in order, so: itself.
    uint32_t *array = (uint32_t *)(queues + parameters.sq_off.array);
    for (uint32_t i = 0; i < ring->sq_count; i++) {
        array[i] = i;
    }
    return 0;
}

void clinux_ring_term(clinux_ring *ring) {
    if (ring->fd < 0) {
        return;
    }
    munmap(ring->entries, ring->entry_bytes);
    munmap(ring->queues, ring->queue_bytes);
    close(ring->fd);
    ring->fd = -1;
}

/// The next free submission, cleared, or NULL.
static struct io_uring_sqe *next_entry(clinux_ring *ring) {
    if (ring->tail - __atomic_load_n(ring->sq_head, __ATOMIC_ACQUIRE) >= ring->sq_count) {
        return NULL;
    }
    struct io_uring_sqe *entry = (struct io_uring_sqe *)ring->entries + (ring->tail & ring->sq_mask);
    memset(entry, 0, sizeof *entry);
    ring->tail++;
    return entry;
}

int clinux_ring_nop(clinux_ring *ring, uint64_t user_data) {
    struct io_uring_sqe *entry = next_entry(ring);
    if (entry == NULL) {
        return -EBUSY;
    }
    entry->opcode = IORING_OP_NOP;
    entry->fd = -1;
    entry->user_data = user_data;
    return 0;
}

int clinux_ring_poll(clinux_ring *ring, int fd, uint32_t events, int repeats, uint64_t user_data) {
    struct io_uring_sqe *entry = next_entry(ring);
    if (entry == NULL) {
        return -EBUSY;
    }
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    events = (events << 16) | (events >> 16);  // the halves are stored so that the old 16-bit field stays where it was
#endif
    entry->opcode = IORING_OP_POLL_ADD;
    entry->fd = fd;
    entry->poll32_events = events;
    entry->len = repeats ? IORING_POLL_ADD_MULTI : 0;
    entry->user_data = user_data;
    return 0;
}

int clinux_ring_end_poll(clinux_ring *ring, uint64_t user_data) {
    struct io_uring_sqe *entry = next_entry(ring);
    if (entry == NULL) {
        return -EBUSY;
    }
    entry->opcode = IORING_OP_POLL_REMOVE;
    entry->fd = -1;
    entry->addr = user_data;
    entry->flags = ring->skips_success ? IOSQE_CQE_SKIP_SUCCESS : 0;
    entry->user_data = CLINUX_RING_IGNORED;
    return 0;
}

int clinux_ring_end_poll_of(clinux_ring *ring, uint64_t user_data, int fd) {
    // struct io_uring_sync_cancel_reg and its flags, of Linux 6.0; to match both file and user data, 6.6.
    struct {
        uint64_t user_data;
        int32_t fd;
        uint32_t flags;
        int64_t timeout[2];
        uint64_t padding[4];
    } request = {.user_data = user_data, .fd = fd, .flags = 1u << 1 | 1u << 4, .timeout = {-1, -1}};
    enum { REGISTER_SYNC_CANCEL = 24 };
    long result = syscall(SYS_io_uring_register, ring->fd, REGISTER_SYNC_CANCEL, &request, 1);
    if (result < 0 && errno == EINVAL) {
        // Another poll of the same file may be the one that ends. Those who began it begin it anew, as told by its completion.
        request.flags = 1u << 1;
        result = syscall(SYS_io_uring_register, ring->fd, REGISTER_SYNC_CANCEL, &request, 1);
    }
    return result >= 0 ? 1 : errno == ENOENT ? 0 : -errno;
}

int clinux_ring_file(
    clinux_ring *ring, const clinux_file_operation *operation, int on_worker, uint64_t user_data) {
    static const uint8_t codes[] = {
        [CLINUX_FILE_OPEN] = IORING_OP_OPENAT,      [CLINUX_FILE_READ] = IORING_OP_READ,
        [CLINUX_FILE_WRITE] = IORING_OP_WRITE,      [CLINUX_FILE_SYNC] = IORING_OP_FSYNC,
        [CLINUX_FILE_SYNC_DATA] = IORING_OP_FSYNC,  [CLINUX_FILE_CLOSE] = IORING_OP_CLOSE,
    };
    if (operation->code < CLINUX_FILE_OPEN || operation->code > CLINUX_FILE_CLOSE) {
        return -EINVAL;
    }
    struct io_uring_sqe *entry = next_entry(ring);
    if (entry == NULL) {
        return -EBUSY;
    }
    entry->opcode = codes[operation->code];
    entry->flags = on_worker ? IOSQE_ASYNC : 0;
    entry->fd = operation->fd;
    entry->user_data = user_data;
    switch (operation->code) {
    case CLINUX_FILE_OPEN:
        entry->addr = (uintptr_t)operation->address;
        entry->len = operation->mode;
        entry->open_flags = (uint32_t)operation->flags;
        break;
    case CLINUX_FILE_READ:
    case CLINUX_FILE_WRITE:
        entry->addr = (uintptr_t)operation->address;
        // The most that read(2) and write(2) take; this field has 32 bits.
        entry->len = operation->length > 0x7ffff000 ? 0x7ffff000 : (uint32_t)operation->length;
        entry->off = (uint64_t)operation->offset;
        break;
    case CLINUX_FILE_SYNC_DATA:
        entry->fsync_flags = IORING_FSYNC_DATASYNC;
        break;
    }
    return 0;
}

void clinux_ring_withdraw(clinux_ring *ring) {
    ring->tail = __atomic_load_n(ring->sq_head, __ATOMIC_ACQUIRE);
    __atomic_store_n(ring->sq_tail, ring->tail, __ATOMIC_RELEASE);
}

unsigned clinux_ring_unsubmitted(const clinux_ring *ring) {
    return ring->tail - __atomic_load_n(ring->sq_head, __ATOMIC_ACQUIRE);
}

int clinux_ring_has_completions(const clinux_ring *ring) {
    return *ring->cq_head != __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE);
}

int clinux_ring_enter(clinux_ring *ring, unsigned minimum, int64_t timeout_ns) {
    struct __kernel_timespec timeout = {
        .tv_sec = timeout_ns / 1000000000,
        .tv_nsec = timeout_ns % 1000000000,
    };
    struct io_uring_getevents_arg argument = {
        .ts = timeout_ns < 0 ? 0 : (uint64_t)(uintptr_t)&timeout,
    };
    __atomic_store_n(ring->sq_tail, ring->tail, __ATOMIC_RELEASE);
    // GETEVENTS even when nothing is waited for: it moves completions that found the queue full.
    long result = syscall(
        SYS_io_uring_enter, ring->fd, clinux_ring_unsubmitted(ring), minimum,
        IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument, sizeof argument);
    return result < 0 ? -errno : (int)result;
}

int clinux_ring_next(clinux_ring *ring, clinux_completion *completion) {
    uint32_t head = *ring->cq_head;
    if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE)) {
        // Those that found the queue full are kept elsewhere until the kernel is asked for them.
        if ((__atomic_load_n(ring->sq_flags, __ATOMIC_RELAXED) & IORING_SQ_CQ_OVERFLOW) == 0) {
            return 0;
        }
        syscall(SYS_io_uring_enter, ring->fd, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0);
        if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE)) {
            return 0;
        }
    }
    const struct io_uring_cqe *entry = (const struct io_uring_cqe *)ring->completions + (head & ring->cq_mask);
    completion->user_data = entry->user_data;
    completion->result = entry->res;
    completion->goes_on = (entry->flags & IORING_CQE_F_MORE) != 0;
    __atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
    return 1;
}
