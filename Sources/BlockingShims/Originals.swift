public import Glibc

extension BlockingShims {
    /// libc's own functions with their types, for ``original(_:)``: those that greenlets most often have a reason to call. Every
    /// other one is had by name, with ``original(_:as:)``.
    public struct Originals: Sendable {
        init() {}

        private func function<Function>(_ name: String, as type: Function.Type = Function.self) -> Function {
            // A row of the table, or, in a build with a sanitizer that leaves the row out, a symbol that is libc's anyway; no
            // libc lacks these names.
            BlockingShims.original(name, as: type) ?? unsafeBitCast(dlsym(nil, name)!, to: type)
        }

        // MARK: Time

        /// libc's `sleep`.
        public var sleep: @convention(c) (UInt32) -> UInt32 { function("sleep") }
        /// libc's `usleep`.
        public var usleep: @convention(c) (UInt32) -> Int32 { function("usleep") }
        /// libc's `nanosleep`.
        public var nanosleep:
            @convention(c) (UnsafePointer<timespec>?, UnsafeMutablePointer<timespec>?) -> Int32
        {
            function("nanosleep")
        }

        // MARK: Readiness

        /// libc's `poll`.
        public var poll: @convention(c) (UnsafeMutablePointer<pollfd>?, nfds_t, Int32) -> Int32 {
            function("poll")
        }
        /// libc's `select`.
        public var select:
            @convention(c) (
                Int32, UnsafeMutablePointer<fd_set>?, UnsafeMutablePointer<fd_set>?,
                UnsafeMutablePointer<fd_set>?, UnsafeMutablePointer<timeval>?
            ) -> Int32
        { function("select") }

        // MARK: Sockets

        /// libc's `connect`.
        public var connect: @convention(c) (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32 {
            function("connect")
        }
        /// libc's `accept`.
        public var accept:
            @convention(c) (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32
        { function("accept") }
        /// libc's `recv`.
        public var recv: @convention(c) (Int32, UnsafeMutableRawPointer?, Int, Int32) -> Int {
            function("recv")
        }
        /// libc's `recvfrom`.
        public var recvfrom:
            @convention(c) (
                Int32, UnsafeMutableRawPointer?, Int, Int32, UnsafeMutablePointer<sockaddr>?,
                UnsafeMutablePointer<socklen_t>?
            ) -> Int
        { function("recvfrom") }
        /// libc's `recvmsg`.
        public var recvmsg: @convention(c) (Int32, UnsafeMutablePointer<msghdr>?, Int32) -> Int {
            function("recvmsg")
        }
        /// libc's `send`.
        public var send: @convention(c) (Int32, UnsafeRawPointer?, Int, Int32) -> Int { function("send") }
        /// libc's `sendto`.
        public var sendto:
            @convention(c) (Int32, UnsafeRawPointer?, Int, Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int
        { function("sendto") }
        /// libc's `sendmsg`.
        public var sendmsg: @convention(c) (Int32, UnsafePointer<msghdr>?, Int32) -> Int {
            function("sendmsg")
        }

        // MARK: Descriptors

        /// libc's `read`.
        public var read: @convention(c) (Int32, UnsafeMutableRawPointer?, Int) -> Int { function("read") }
        /// libc's `readv`.
        public var readv: @convention(c) (Int32, UnsafePointer<iovec>?, Int32) -> Int { function("readv") }
        /// libc's `write`.
        public var write: @convention(c) (Int32, UnsafeRawPointer?, Int) -> Int { function("write") }
        /// libc's `writev`.
        public var writev: @convention(c) (Int32, UnsafePointer<iovec>?, Int32) -> Int { function("writev") }
        /// libc's `close`.
        public var close: @convention(c) (Int32) -> Int32 { function("close") }

        // MARK: Names

        /// libc's `getaddrinfo`.
        public var getaddrinfo:
            @convention(c) (
                UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<addrinfo>?,
                UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>?
            ) -> Int32
        { function("getaddrinfo") }

        // MARK: Threads

        /// libc's `pthread_mutex_lock`.
        public var pthread_mutex_lock: @convention(c) (UnsafeMutablePointer<pthread_mutex_t>) -> Int32 {
            function("pthread_mutex_lock")
        }
        /// libc's `pthread_mutex_unlock`.
        public var pthread_mutex_unlock: @convention(c) (UnsafeMutablePointer<pthread_mutex_t>) -> Int32 {
            function("pthread_mutex_unlock")
        }
        /// libc's `pthread_cond_wait`.
        public var pthread_cond_wait:
            @convention(c) (UnsafeMutablePointer<pthread_cond_t>, UnsafeMutablePointer<pthread_mutex_t>) ->
                Int32
        { function("pthread_cond_wait") }
    }
}
