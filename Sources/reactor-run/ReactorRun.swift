import Glibc

/// Runs an unmodified program with its `main` in a greenlet of a reactor: `reactor-run [--shim] PROGRAM [ARGUMENT]...`.
///
/// gevent's `python -m gevent.monkey SCRIPT`, for any dynamically linked program. Its blocking calls park, those of its libraries, too;
/// the reactor of the preloaded library runs meanwhile. Threads that the program makes are threads as before.
///
/// Not for: statically linked and set-user-ID programs (the dynamic linker preloads nothing there); programs that make system
/// calls themselves (Go); runtimes that look for their own stack (Boehm's collector, Ruby, Java); programs that rely on a signal
/// handler to end a blocking call with EINTR, which a parked call does not see; `pthread_exit` from `main`.
@main
enum ReactorRun {
    static let usage = "usage: reactor-run [--shim] PROGRAM [ARGUMENT]...\n"

    /// What `main` needs that expects the usual stack; only touched pages take memory.
    static let stackSize = "8388608"

    static func main() {
        var arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "--shim" { arguments.removeFirst() }
        guard let program = arguments.first, !program.hasPrefix("-") else {
            let isAsked = arguments.first == "--help"
            report(usage)
            exit(isAsked ? EXIT_SUCCESS : 64)  // EX_USAGE
        }
        let library = directory + "/libreactor-preload.so"
        guard access(library, R_OK) == 0 else {
            fail("\(library) cannot be read; it is built with reactor-run and has to lie beside it", 127)
        }
        let preloaded = getenv("LD_PRELOAD").map { "\(library):\(String(cString: $0))" } ?? library
        setenv("LD_PRELOAD", preloaded, 1)
        setenv("REACTOR_STACK_SIZE", stackSize, 0)
        var texts = arguments.map { strdup($0) }  // for a process image that is about to be replaced
        texts.append(nil)
        execvp(program, texts)
        fail("\(program) cannot be run: \(String(cString: strerror(errno)))", errno == ENOENT ? 127 : 126)
    }

    /// Where this program lies.
    private static var directory: String {
        var path = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, path.count)
        let text = String(decoding: path.prefix(max(0, count)), as: UTF8.self)
        return text.lastIndex(of: "/").map { String(text[..<$0]) } ?? "."
    }

    private static func fail(_ message: String, _ status: Int32) -> Never {
        report("reactor-run: \(message)\n")
        exit(status)
    }

    private static func report(_ text: String) {
        _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
}
