// The second names of shims: each is a jump, which hands every argument on as it came, also a variable number of them, and leaves no
// frame behind. (ELF's aliases would have to lie in the shim's own file.)
#include "aliases.h"

#if defined(__x86_64__)
#define CBS_JUMP(symbol) "jmp " symbol "@PLT"  // the linker makes it a plain jump in an executable
#elif defined(__aarch64__)
#define CBS_JUMP(symbol) "b " symbol
#else
#error "aliases are written for x86-64 and AArch64"
#endif

#define CBS_DEFINE_ALIAS(alias, shim) \
    __attribute__((naked)) void cbs_alias_##alias(void) { __asm__ volatile(CBS_JUMP(#shim)); }
CBS_ALIASES(CBS_DEFINE_ALIAS)
