// Operations on files that a disk may keep waiting, shared by read and write (io.c) and the rest (files.c, open.c).
#pragma once

#include "dispatch.h"

/// Does `operation` away from the loop; parks until it is done, killed or not. Returns its result and keeps errno.
__attribute__((visibility("hidden"))) int64_t cbs_file(const cbs_hook_table *hooks, cbs_file_operation *operation);

/// Reads into or writes all of `parts` (consumed): what the page cache has or takes at once, then the rest by `cbs_file`.
/// `offset` is −1 for the file's position. Returns as preadv2(2), with errno.
__attribute__((visibility("hidden"))) ssize_t cbs_file_transfer(
    const cbs_hook_table *hooks, enum cbs_file_opcode opcode, int fd, cbs_parts *parts, int64_t offset, int flags);
