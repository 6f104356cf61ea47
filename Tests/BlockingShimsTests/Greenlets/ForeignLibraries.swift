import CLinux
import Glibc

/// A shared library loaded at run time, for its blocking API; no header and no -dev package is needed.
private struct SharedLibrary {
    /// Unsafe: a handle of the dynamic linker's, which is thread-safe; never closed.
    nonisolated(unsafe) private let handle: UnsafeMutableRawPointer

    init?(_ prefix: String) {
        guard let path = CoverageTests.path(of: prefix), let handle = dlopen(path, RTLD_NOW) else {
            return nil
        }
        self.handle = handle
    }

    func function<Function>(_ name: String, as type: Function.Type = Function.self) -> Function? {
        // A C function, of the type that the library documents.
        dlsym(handle, name).map { unsafeBitCast($0, to: type) }
    }
}

/// hiredis' synchronous API.
struct Redis: Sendable {
    typealias Connect = @convention(c) (UnsafePointer<CChar>, Int32) -> UnsafeMutableRawPointer?
    typealias Free = @convention(c) (UnsafeMutableRawPointer?) -> Void
    typealias Command =
        @convention(c) (
            UnsafeMutableRawPointer?, Int32, UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int>
        ) -> UnsafeMutableRawPointer?

    private let connectFunction: Connect
    private let freeFunction: Free
    private let command: Command
    private let freeReply: Free

    init?() {
        guard let library = SharedLibrary("libhiredis.so."),
            let connect = library.function("redisConnect", as: Connect.self),
            let free = library.function("redisFree", as: Free.self),
            let command = library.function("redisCommandArgv", as: Command.self),
            let freeReply = library.function("freeReplyObject", as: Free.self)
        else { return nil }
        (connectFunction, freeFunction, self.command, self.freeReply) = (connect, free, command, freeReply)
    }

    func connect(_ port: UInt16) -> UnsafeMutableRawPointer? { connectFunction("127.0.0.1", Int32(port)) }
    func free(_ connection: UnsafeMutableRawPointer?) { freeFunction(connection) }

    /// The text of the reply to the words of `line`; nil after an error of the connection.
    func call(_ connection: UnsafeMutableRawPointer?, _ line: String) -> String? {
        let words = line.split(separator: " ").map { strdup(String($0)) }
        defer { for word in words { Glibc.free(word) } }
        let lengths = words.map { $0.map { strlen($0) } ?? 0 }
        let reply = command(connection, Int32(words.count), words.map { UnsafePointer($0) }, lengths)
        defer { if reply != nil { freeReply(reply) } }
        guard let reply else { return nil }
        // struct redisReply: int type; long long integer; [0.14: none; later: double dval;] size_t len; char *str. The length
        // is the word before the text, and the text of a short reply is its own length away from NUL.
        for offset in [24, 32] {
            let length = reply.load(fromByteOffset: offset - 8, as: Int.self)
            guard let text = reply.load(fromByteOffset: offset, as: UnsafePointer<CChar>?.self), length > 0,
                length < 4096, Int(bitPattern: text) > 4096, strnlen(text, 4096) == length
            else { continue }
            return String(cString: text)
        }
        return nil
    }
}

/// libcurl's easy API. Its functions are variadic, which Swift cannot call through a pointer: all that is needed is passed as
/// integers and pointers, as the C calling conventions of x86-64 and of AArch64 Linux pass variadic arguments of these kinds.
struct Curl: Sendable {
    typealias Make = @convention(c) () -> UnsafeMutableRawPointer?
    typealias Clean = @convention(c) (UnsafeMutableRawPointer?) -> Void
    typealias Set = @convention(c) (UnsafeMutableRawPointer?, Int32, UnsafeRawPointer?) -> Int32
    typealias Perform = @convention(c) (UnsafeMutableRawPointer?) -> Int32
    typealias Write =
        @convention(c) (UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?) -> Int

    private let make: Make
    private let clean: Clean
    private let set: Set
    private let perform: Perform

    init?() {
        guard let library = SharedLibrary("libcurl.so.4"),
            let make = library.function("curl_easy_init", as: Make.self),
            let clean = library.function("curl_easy_cleanup", as: Clean.self),
            let set = library.function("curl_easy_setopt", as: Set.self),
            let perform = library.function("curl_easy_perform", as: Perform.self)
        else { return nil }
        (self.make, self.clean, self.set, self.perform) = (make, clean, set, perform)
    }

    /// The result code and the body.
    func get(_ url: String) -> (code: Int32, body: String) {
        let handle = make()
        defer { clean(handle) }
        var body: [UInt8] = []
        let code = withUnsafeMutablePointer(to: &body) { body in
            let collect: Write = { bytes, size, count, body in
                // libcurl hands back the pointer set below, while get(_:) waits.
                body!.assumingMemoryBound(to: [UInt8].self).pointee += UnsafeRawBufferPointer(
                    start: bytes, count: size * count)
                return size * count
            }
            // CURLOPT_URL, _WRITEFUNCTION, _WRITEDATA, _NOSIGNAL, _PROXY (none, whatever the environment says).
            url.withCString { _ = set(handle, 10002, $0) }
            _ = set(handle, 20011, unsafeBitCast(collect, to: UnsafeRawPointer.self))  // a function's address
            _ = set(handle, 10001, body)
            _ = set(handle, 99, UnsafeRawPointer(bitPattern: 1))
            "".withCString { _ = set(handle, 10004, $0) }
            return perform(handle)
        }
        return (code, String(decoding: body, as: UTF8.self))
    }
}
