/// The public functions of glibc that may block, by family: from the symbols it defines and their manual pages.
///
/// A function is here when it waits for something that another process, thread or peer has to do, or for a device. Memory, strings,
/// formats, and calls that only ask the kernel (`stat`, `getsockopt`, …) are not.
enum BlockingCalls {
    static let families: [(name: String, functions: String)] = [
        ("time", "sleep usleep nanosleep clock_nanosleep thrd_sleep"),
        (
            "readiness",
            """
            poll ppoll __poll_chk __ppoll_chk select pselect epoll_wait epoll_pwait epoll_pwait2
            """
        ),
        (
            "sockets",
            """
            connect accept accept4 recv recvfrom recvmsg recvmmsg __recv_chk __recvfrom_chk send sendto sendmsg sendmmsg
            """
        ),
        (
            "descriptors",
            "read readv __read_chk write writev close dup2 dup3 close_range closefrom eventfd_read eventfd_write"
        ),
        (
            "names",
            """
            getaddrinfo getnameinfo gethostbyname gethostbyname2 gethostbyaddr gethostbyname_r gethostbyname2_r
            gethostbyaddr_r res_query res_search res_querydomain res_send res_nquery res_nsearch res_nquerydomain res_nsend
            getaddrinfo_a gai_suspend
            """
        ),
        (
            "threads",
            """
            pthread_mutex_lock pthread_mutex_timedlock pthread_mutex_clocklock pthread_cond_wait pthread_cond_timedwait
            pthread_cond_clockwait pthread_rwlock_rdlock pthread_rwlock_wrlock pthread_rwlock_timedrdlock
            pthread_rwlock_timedwrlock pthread_rwlock_clockrdlock pthread_rwlock_clockwrlock sem_wait sem_timedwait
            sem_clockwait pthread_join pthread_timedjoin_np pthread_clockjoin_np pthread_barrier_wait pthread_once
            pthread_spin_lock mtx_lock mtx_timedlock cnd_wait cnd_timedwait thrd_join call_once
            """
        ),
        (
            "processes",
            "wait wait3 wait4 waitid waitpid system popen pclose fork _Fork vfork posix_spawn posix_spawnp"
        ),
        ("locks", "flock lockf lockf64 fcntl fcntl64"),
        (
            "stdio",
            """
            fread fread_unlocked __fread_chk __fread_unlocked_chk fgets fgets_unlocked __fgets_chk __fgets_unlocked_chk gets
            fgetc fgetc_unlocked getc getc_unlocked getchar getchar_unlocked _IO_getc __uflow __underflow getline getdelim
            __getdelim getw fscanf vfscanf scanf vscanf __isoc99_fscanf __isoc99_vfscanf __isoc99_scanf __isoc99_vscanf fgetwc
            fgetws getwc getwchar fwrite fwrite_unlocked fputs fputs_unlocked puts fputc fputc_unlocked putc putc_unlocked
            putchar putchar_unlocked _IO_putc __overflow putw fprintf vfprintf printf vprintf dprintf vdprintf __fprintf_chk
            __vfprintf_chk __printf_chk __vprintf_chk __dprintf_chk __vdprintf_chk fputwc fputws fflush fflush_unlocked
            fclose fcloseall perror fopen fopen64 freopen freopen64 fseek fseeko fseeko64 rewind
            """
        ),
        (
            "files",
            """
            open open64 openat openat64 creat creat64 __open_2 __open64_2 __openat_2 __openat64_2 pread pread64 __pread_chk
            __pread64_chk pwrite pwrite64 preadv preadv64 preadv2 preadv64v2 pwritev pwritev64 pwritev2 pwritev64v2 fsync
            fdatasync msync sync syncfs sync_file_range sendfile sendfile64 copy_file_range splice tee vmsplice readahead
            fallocate fallocate64 posix_fallocate posix_fallocate64
            """
        ),
        (
            "signals",
            "pause sigsuspend sigpause __sigpause sigwait sigwaitinfo sigtimedwait"
        ),
        (
            "queues",
            """
            mq_open mq_receive mq_timedreceive mq_send mq_timedsend msgrcv msgsnd semop semtimedop aio_suspend
            aio_suspend64 lio_listio lio_listio64
            """
        ),
        (
            "accounts",
            """
            getpwnam getpwnam_r getpwuid getpwuid_r getpwent getpwent_r getgrnam getgrnam_r getgrgid getgrgid_r getgrent
            getgrent_r getspnam getspnam_r getgrouplist initgroups getlogin getlogin_r getservbyname getservbyname_r
            getservbyport getservbyport_r getservent getservent_r getprotobyname getprotobyname_r getprotobynumber
            getprotobynumber_r getnetbyname getnetbyname_r getnetbyaddr getnetbyaddr_r getpass
            """
        ),
        (
            "wide characters",
            """
            putwc putwchar wprintf fwprintf vwprintf vfwprintf wscanf fwscanf vwscanf vfwscanf
            """
        ),
        (
            "streams' parts",
            """
            _IO_do_write _IO_file_close _IO_file_overflow _IO_file_read _IO_file_sync _IO_file_underflow _IO_file_write
            _IO_file_xsputn _IO_flush_all _IO_flush_all_linebuffered _IO_getline_info _IO_padn _IO_proc_close _IO_proc_open
            _IO_sgetn _IO_switch_to_get_mode fcloseall
            """
        ),
        (
            "others",
            "clone dlopen dlmopen dlclose ioctl syslog vsyslog __syslog_chk __vsyslog_chk tcdrain getrandom syscall"
        ),
    ]

    static let names = Set(families.flatMap { split($0.functions) })

    /// Calls that may block and have no shim, each group with the reason.
    static let exemptions: [(reason: String, functions: String)] = [
        (
            "it has no form that does not wait, and all who meet at a barrier would each need a worker thread",
            "pthread_barrier_wait"
        ),
        (
            "initialisers run once and seldom park; one that did could not be told from one that failed by an exception",
            "pthread_once call_once"
        ),
        ("a spin lock is not held across a wait", "pthread_spin_lock"),
        (
            "a signal belongs to the process, and reactor.signals(_:) waits for it; libpq takes a pending SIGPIPE with it",
            "pause sigsuspend sigpause __sigpause sigwait sigwaitinfo sigtimedwait"
        ),
        (
            "System V's and POSIX queues have no descriptor that is portable, and asynchronous I/O is threads already",
            """
            mq_open mq_receive mq_timedreceive mq_send mq_timedsend msgrcv msgsnd semop semtimedop aio_suspend
            aio_suspend64 lio_listio lio_listio64 getaddrinfo_a gai_suspend
            """
        ),
        (
            "local files in nearly every system (nsswitch.conf); their results are static or the caller's, by many types",
            """
            getpwnam getpwnam_r getpwuid getpwuid_r getpwent getpwent_r getgrnam getgrnam_r getgrgid getgrgid_r getgrent
            getgrent_r getspnam getspnam_r getgrouplist initgroups getlogin getlogin_r getservbyname getservbyname_r
            getservbyport getservbyport_r getservent getservent_r getprotobyname getprotobyname_r getprotobynumber
            getprotobynumber_r getnetbyname getnetbyname_r getnetbyaddr getnetbyaddr_r
            """
        ),
        ("it asks a person at a terminal", "getpass"),
        (
            "what it does depends on the request; none of the common ones waits",
            "ioctl"
        ),
        ("it loads code, under the dynamic linker's own lock", "dlopen dlmopen dlclose"),
        (
            "a datagram to a local socket, which drops rather than waits",
            "syslog vsyslog __syslog_chk __vsyslog_chk"
        ),
        ("the last bytes of a serial line take milliseconds", "tcdrain"),
        ("it waits only in the first moments after the machine has started", "getrandom"),
        ("a raw system call is what its caller wants", "syscall"),
        (
            "pipes to pipes and files to sockets without a copy: no client library here uses it",
            "sendfile sendfile64 splice tee vmsplice copy_file_range"
        ),
        (
            "advice and reservations, done when the file system has noted them",
            """
            readahead fallocate fallocate64 posix_fallocate posix_fallocate64 msync sync syncfs
            """
        ),
        (
            "a state object of the caller's that the worker thread would share with it",
            "res_nquery res_nsearch res_nquerydomain res_nsend res_send"
        ),
        ("it returns as soon as the child has begun the program", "posix_spawn posix_spawnp"),
        ("it waits for nothing", "fork"),
        (
            "what it does depends on its flags; a child that shares memory is for run-time libraries, with calls of their own",
            "clone"
        ),
        (
            "parts of glibc's streams for classes derived from them, which nobody makes any more, and all streams at once",
            """
            _IO_do_write _IO_file_close _IO_file_overflow _IO_file_read _IO_file_sync _IO_file_underflow _IO_file_write
            _IO_file_xsputn _IO_flush_all _IO_flush_all_linebuffered _IO_getline_info _IO_padn _IO_proc_close _IO_proc_open
            _IO_sgetn _IO_switch_to_get_mode fcloseall
            """
        ),
        (
            "glibc parses, or converts wide characters, while it reads: what it will want cannot be waited for first",
            """
            fscanf vfscanf scanf vscanf __isoc99_fscanf __isoc99_vfscanf __isoc99_scanf __isoc99_vscanf fgetwc fgetws getwc
            getwchar fputwc fputws putwc putwchar wprintf fwprintf vwprintf vfwprintf wscanf fwscanf vwscanf vfwscanf
            """
        ),
        (
            "a regular file for whoever uses stdio, opened by glibc's internal open",
            "fopen fopen64"
        ),
        (
            "it writes what all streams hold, as fflush(NULL), which passes through, and closes no descriptor",
            "fcloseall"
        ),
        ("a pipe has no position to move to", "fseek fseeko fseeko64 rewind"),
        ("one line on standard error", "perror"),
        ("nobody should call it, and nobody does", "gets getw putw"),
    ]

    static let exempt = Set((exemptions + SecondNames.exemptions).flatMap { split($0.functions) })

    static func split(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }
}
