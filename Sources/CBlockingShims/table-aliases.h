// Second names that glibc exports for functions of table.h, and that libraries are linked with: libnsl calls __poll.
//
//     ALIAS(symbol, the function of table.h that it is)
//
// Each name is a symbol of its own, which no shim of another one covers. A libc that lacks one loses nothing by our having it. Names that
// glibc keeps for programs of long ago alone (`nm -D` shows them with one @) are not here: no linker makes an executable
// export a symbol for them.
#pragma once

#include "table-threads.h"

#define CBS_ALIASES(ALIAS)        \
    /* sleep.c */                 \
    ALIAS(__nanosleep, nanosleep) \
    /* poll.c, select.c */        \
    ALIAS(__poll, poll)           \
    ALIAS(__select, select)       \
    /* connect.c, send.c */       \
    ALIAS(__connect, connect)     \
    ALIAS(__send, send)           \
    /* io.c */                    \
    ALIAS(__read, read)           \
    ALIAS(__write, write)         \
    ALIAS(__close, close)         \
    ALIAS(__dup2, dup2)           \
    /* children.c, forks.c */     \
    ALIAS(__wait, wait)           \
    ALIAS(__waitpid, waitpid)     \
    ALIAS(__vfork, vfork)         \
    /* shell.c */                 \
    ALIAS(_IO_popen, popen)       \
    /* files.c, open.c */         \
    ALIAS(__pread64, pread64)     \
    ALIAS(__pwrite64, pwrite64)   \
    ALIAS(__open, open)           \
    ALIAS(__open64, open64)       \
    /* locks.c */                 \
    ALIAS(__fcntl, fcntl)         \
    /* input.c */                 \
    ALIAS(_IO_fread, fread)       \
    ALIAS(_IO_fgets, fgets)       \
    /* output.c, streams.c */     \
    ALIAS(_IO_fwrite, fwrite)     \
    ALIAS(_IO_fputs, fputs)       \
    ALIAS(_IO_puts, puts)         \
    ALIAS(_IO_fflush, fflush)     \
    ALIAS(_IO_fclose, fclose)     \
    ALIAS(_IO_vfprintf, vfprintf) \
    ALIAS(_IO_fprintf, fprintf)   \
    ALIAS(_IO_printf, printf)
