// linux/tcp.h has the counters that glibc's netinet/tcp.h lacks, and cannot stand beside it: CLinux.h is not included here.
#include <errno.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

int clinux_tcp_bytes(int fd, uint64_t *sent, uint64_t *received);

int clinux_tcp_bytes(int fd, uint64_t *sent, uint64_t *received) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    // IPPROTO_TCP, which netinet/in.h would name.
    if (getsockopt(fd, 6, TCP_INFO, &info, &length) != 0) return -errno;
    if (length < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received) return -ENOTSUP;
    *sent = info.tcpi_bytes_acked;
    *received = info.tcpi_bytes_received;
    return 0;
}
