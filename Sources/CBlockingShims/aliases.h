// The functions of table-aliases.h, as C identifiers cbs_alias_NAME with libc's symbol. Not to be called as what they are here.
#pragma once

#include "dispatch.h"
#include "table-aliases.h"

#define CBS_DECLARE_ALIAS(alias, shim) \
    __attribute__((visibility("default"))) void cbs_alias_##alias(void) __asm__(#alias);
CBS_ALIASES(CBS_DECLARE_ALIAS)
#undef CBS_DECLARE_ALIAS
