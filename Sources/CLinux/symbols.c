#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // strndup
#endif

#include "CLinux.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/// Looks through one symbol table for functions that contain the offsets.
static void search(
    const char *file, size_t size, const Elf64_Shdr *table, const Elf64_Shdr *texts, const uintptr_t *offsets,
    size_t count, char **names) {
    if (table->sh_offset > size || table->sh_size > size - table->sh_offset || texts->sh_offset > size ||
        texts->sh_size > size - texts->sh_offset) {
        return;
    }
    const Elf64_Sym *symbols = (const Elf64_Sym *)(file + table->sh_offset);
    for (size_t i = 0; i < table->sh_size / sizeof(Elf64_Sym); i++) {
        const Elf64_Sym *symbol = &symbols[i];
        if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_name >= texts->sh_size) {
            continue;
        }
        for (size_t k = 0; k < count; k++) {
            if (names[k] == NULL && offsets[k] - symbol->st_value < symbol->st_size) {
                const char *name = file + texts->sh_offset + symbol->st_name;
                names[k] = strndup(name, texts->sh_size - symbol->st_name);
            }
        }
    }
}

void clinux_symbol_names(const char *path, const uintptr_t *offsets, size_t count, char **names) {
    memset(names, 0, count * sizeof *names);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    struct stat status;
    if (fstat(fd, &status) != 0 || (size_t)status.st_size < sizeof(Elf64_Ehdr)) {
        close(fd);
        return;
    }
    size_t size = (size_t)status.st_size;
    char *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (file == MAP_FAILED) {
        return;
    }
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
    size_t sections = header->e_shnum;
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 && header->e_ident[EI_CLASS] == ELFCLASS64 &&
        header->e_shentsize == sizeof(Elf64_Shdr) && header->e_shoff <= size &&
        sections <= (size - header->e_shoff) / sizeof(Elf64_Shdr)) {
        const Elf64_Shdr *table = (const Elf64_Shdr *)(file + header->e_shoff);
        for (size_t i = 0; i < sections; i++) {
            // All symbols, or those of a stripped file.
            if ((table[i].sh_type == SHT_SYMTAB || table[i].sh_type == SHT_DYNSYM) && table[i].sh_link < sections) {
                search(file, size, &table[i], &table[table[i].sh_link], offsets, count, names);
            }
        }
    }
    munmap(file, size);
}
