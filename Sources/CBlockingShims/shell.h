// The streams of popen, for whoever closes one.
#pragma once

#include "dispatch.h"

/// Closes a stream that popen made on a fiber and waits for its command. `hooks` is NULL off fibers. Returns 0, with
/// nothing done, for any other stream; else 1, the command's status in `result`, or −1 there with errno.
__attribute__((visibility("hidden"))) int cbs_process_close(const cbs_hook_table *hooks, FILE *file, int *result);
