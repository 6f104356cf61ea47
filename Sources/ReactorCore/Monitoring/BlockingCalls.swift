import CLinux

/// Functions known to block: those of libc and of libraries that programs most often wait in, and what `BlockingShims` add.
enum BlockingCalls {
    /// The outermost call known to block on a stack whose innermost frame is the first: what the program's own code called. Code
    /// below the loop counts for nothing, as it runs the loop.
    static func operation(of stack: [StackFrame]) -> String? {
        for frame in stack.prefix(while: { !$0.isLoop }).reversed() {
            if let name = frame.function.flatMap(knownName) ?? frame.callee.flatMap(knownName) { return name }
        }
        return nil
    }

    /// The public name of a function known to block, also of one that libc shows by an internal name: `__libc_recv`, `__poll_chk`.
    static func knownName(_ symbol: String) -> String? {
        var plain = symbol.drop { $0 == "_" }
        for prefix in ["libc_", "GI_", "new_"] where plain.hasPrefix(prefix) {
            plain = plain.dropFirst(prefix.count).drop { $0 == "_" }
        }
        if plain.hasSuffix("_chk") { plain = plain.dropLast(4) }
        return [String(plain), symbol].first { isKnown($0) }
    }

    private static func isKnown(_ name: String) -> Bool {
        known.contains(name) || clinux_is_blocking_call(name) != 0
    }

    private static let known: Set<String> = [
        // libc: time, readiness, sockets
        "sleep", "usleep", "nanosleep", "clock_nanosleep", "pause", "sigwait", "sigwaitinfo", "sigtimedwait",
        "poll", "ppoll", "select", "pselect", "epoll_wait", "epoll_pwait", "connect", "accept", "accept4",
        "recv", "recvfrom", "recvmsg", "recvmmsg", "send", "sendto", "sendmsg", "sendmmsg",
        // libc: files, streams
        "read", "readv", "pread", "preadv", "write", "writev", "pwrite", "pwritev", "open", "open64",
        "openat",
        "fsync", "fdatasync", "sync", "flock", "lockf", "sendfile", "splice", "fopen", "fclose", "fflush",
        "fread", "fgets", "getline", "fgetc", "getc", "fwrite", "fputs", "puts", "printf", "fprintf",
        // libc: names, users, processes, threads
        "getaddrinfo", "getnameinfo", "gethostbyname", "gethostbyname_r", "gethostbyaddr", "getpwnam",
        "getpwnam_r", "getpwuid", "getpwuid_r", "getgrnam", "getgrnam_r", "getgrgid", "getgrgid_r", "syslog",
        "wait", "waitpid", "wait3", "wait4", "waitid", "system", "popen", "pclose",
        "pthread_join", "pthread_mutex_lock", "pthread_cond_wait", "pthread_cond_timedwait",
        "pthread_rwlock_rdlock", "pthread_rwlock_wrlock", "pthread_barrier_wait", "sem_wait", "sem_timedwait",
        // libpq
        "PQconnectdb", "PQconnectdbParams", "PQsetdbLogin", "PQconnectStart", "PQconnectStartParams",
        "PQconnectPoll", "PQreset", "PQresetPoll", "PQping", "PQpingParams", "PQfinish", "PQcancel",
        "PQexec", "PQexecParams", "PQexecPrepared", "PQprepare", "PQdescribePrepared", "PQdescribePortal",
        "PQgetResult", "PQgetCopyData", "PQputCopyData", "PQputCopyEnd", "PQgetline", "PQputline",
        "PQendcopy",
        "PQfn", "PQconsumeInput", "PQflush", "PQsendQuery", "PQencryptPasswordConn", "lo_import", "lo_export",
        "lo_read", "lo_write",
        // others
        "SSL_connect", "SSL_accept", "SSL_do_handshake", "SSL_read", "SSL_write", "SSL_shutdown",
        "curl_easy_perform", "curl_multi_wait", "curl_multi_poll", "sqlite3_step", "sqlite3_exec",
        "mysql_real_connect", "mysql_query", "mysql_real_query", "mysql_store_result", "redisConnect",
        "redisCommand", "redisGetReply",
    ]
}
