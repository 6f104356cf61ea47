#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // accept4
#endif

#include "CLinux.h"

#include <errno.h>

int clinux_accept(int fd, struct sockaddr *address, socklen_t *length) {
    int accepted = accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return accepted < 0 ? -errno : accepted;
}
