// What a call instruction calls, and which calls are known to block: for the monitor's reports.
#include "CLinux.h"

#include <stdint.h>
#include <string.h>

static int copy(void *buffer, uintptr_t address, size_t size) {
    return clinux_copy_memory(buffer, address, size) == size;
}

#if defined(__x86_64__)

static int32_t displacement(const unsigned char *bytes) {
    int32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

/// Through the linker's stub, if there is one: [endbr64] [bnd] jmp *slot(%rip).
static uintptr_t behind_stub(uintptr_t address) {
    unsigned char code[11];
    if (!copy(code, address, sizeof code)) {
        return 0;
    }
    static const unsigned char endbr64[] = {0xF3, 0x0F, 0x1E, 0xFA};
    size_t start = memcmp(code, endbr64, sizeof endbr64) == 0 ? sizeof endbr64 : 0;
    start += code[start] == 0xF2;
    uintptr_t target = address;
    if (code[start] == 0xFF && code[start + 1] == 0x25) {
        uintptr_t slot = address + start + 6 + (uintptr_t)(intptr_t)displacement(code + start + 2);
        return copy(&target, slot, sizeof target) ? target : 0;
    }
    return target;
}

uintptr_t clinux_call_target(uintptr_t return_address) {
    unsigned char code[6];
    uintptr_t target;
    if (return_address < sizeof code || !copy(code, return_address - sizeof code, sizeof code)) {
        return 0;
    }
    uintptr_t there = return_address + (uintptr_t)(intptr_t)displacement(code + 2);
    if (code[0] == 0xFF && code[1] == 0x15) {  // call *slot(%rip)
        return copy(&target, there, sizeof target) ? target : 0;
    }
    return code[1] == 0xE8 ? behind_stub(there) : 0;  // call rel32
}

#elif defined(__aarch64__)

/// Through the linker's stub, if there is one: [bti c] adrp x16, page; ldr x17, [x16, #offset].
static uintptr_t behind_stub(uintptr_t address) {
    uint32_t code[3];
    if (!copy(code, address, sizeof code)) {
        return 0;
    }
    size_t start = code[0] == 0xD503245F;
    uint32_t adrp = code[start], ldr = code[start + 1];
    if ((adrp & 0x9F00001F) != 0x90000010 || (ldr & 0xFFC003FF) != 0xF9400211) {
        return address;
    }
    int64_t pages = (int64_t)((uint64_t)((adrp >> 5 & 0x7FFFF) << 2 | (adrp >> 29 & 3)) << 43) >> 43;
    uintptr_t page = (address + start * 4) & ~(uintptr_t)0xFFF;
    uintptr_t target, slot = page + (uintptr_t)(pages * 4096) + (ldr >> 10 & 0xFFF) * 8;
    return copy(&target, slot, sizeof target) ? target : 0;
}

uintptr_t clinux_call_target(uintptr_t return_address) {
    uint32_t code;
    if (return_address < sizeof code || !copy(&code, return_address - sizeof code, sizeof code)
        || (code & 0xFC000000) != 0x94000000) {  // bl
        return 0;
    }
    int64_t words = (int64_t)((uint64_t)(code & 0x03FFFFFF) << 38) >> 38;
    return behind_stub(return_address - sizeof code + (uintptr_t)(words * 4));
}

#endif

// MARK: Calls known to block

#define TABLES 4

static struct {
    const char *const *first;
    size_t stride;
    size_t count;
} tables[TABLES];
static size_t table_count = 0;

void clinux_add_blocking_calls(const char *const *first, size_t stride, size_t count) {
    if (table_count < TABLES) {
        tables[table_count].first = first;
        tables[table_count].stride = stride;
        tables[table_count].count = count;
        table_count++;
    }
}

int clinux_is_blocking_call(const char *name) {
    for (size_t table = 0; table < table_count; table++) {
        const char *place = (const char *)tables[table].first;
        for (size_t i = 0; i < tables[table].count; i++) {
            const char *known;
            memcpy(&known, place + i * tables[table].stride, sizeof known);
            if (strcmp(known, name) == 0) {
                return 1;
            }
        }
    }
    return 0;
}
