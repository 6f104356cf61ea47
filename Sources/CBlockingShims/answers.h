// The answers of calls that return a pointer into an area of their own: libc has one for each function, here each fiber has.
#pragma once

#include "dispatch.h"

/// The functions with such an area. As in libc a call of one leaves the answer of another alone.
enum cbs_answer { CBS_ANSWER_BY_NAME, CBS_ANSWER_BY_NAME_AND_FAMILY, CBS_ANSWER_BY_ADDRESS, CBS_ANSWER_COUNT };

/// Keeps `entry`, which points into `buffer`, for the running fiber until its next answer of that kind or its end; then `buffer`
/// is freed. Returns the entry to answer with, or NULL, with `buffer` freed and errno and h_errno set, without memory.
__attribute__((visibility("hidden"))) struct hostent *cbs_keep_answer(
    enum cbs_answer kind, const struct hostent *entry, char *buffer);
