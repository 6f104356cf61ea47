import BlockingShims
import CReactorPreload
import Glibc
import Greenlets
import ReactorCore

/// The `main` that stands before a program's own: runs that in a greenlet of the shared reactor, and returns its result.
///
/// A program that calls exit(3) ends on the greenlet's stack, with all that was registered for it.
@_cdecl("crp_main")
func preloadedMain(
    _ program:
        @escaping @convention(c) (
            Int32, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
            UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        ) -> Int32,
    _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
    // All of this is of one thread, the process's first, which runs the reactor and the greenlet.
    nonisolated(unsafe) let call = (program, count, arguments, environment)
    nonisolated(unsafe) var result: Int32 = EXIT_FAILURE
    do {
        try Reactor.shared.run(until: {
            result = try await Greenlet.spawn(name: "main") { call.0(call.1, call.2, call.3) }.get()
        })
    } catch {
        let message = "reactor-run: the program could not be run in a greenlet: \(error)\n"
        _ = message.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
    return result
}
