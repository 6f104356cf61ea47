/// One function on a thread's stack.
public struct StackFrame: Sendable, CustomStringConvertible {
    /// The function, demangled; nil when the file has no name for it.
    public let function: String?
    /// The executable or library, by its path.
    public let file: String?
    /// Where in that file the code is, for `addr2line` and `llvm-symbolizer`.
    public let offset: UInt
    /// The function it called, where its code names it. The next inner frame may be another's: a function may end by jumping
    /// to the last one that it calls, and leaves no frame then.
    let callee: String?

    init(function: String?, file: String?, offset: UInt, callee: String? = nil) {
        self.function = function
        self.file = file
        self.offset = offset
        self.callee = callee
    }

    /// `Film.all() in /usr/bin/films + 0x4711`.
    public var description: String {
        let place = "\(file ?? "?") + 0x\(String(offset, radix: 16))"
        return function.map { "\($0) in \(place)" } ?? place
    }

    /// It passes a call on and does nothing else; the compiler made it.
    var isThunk: Bool {
        guard let function else { return false }
        return function.hasPrefix("reabstraction thunk helper")
            || function.hasPrefix("partial apply forwarder")
    }

    /// A turn of the reactor's loop.
    var isLoop: Bool { function?.hasPrefix("ReactorCore.Reactor.turn(") == true }
}
