/// One function on a thread's stack.
public struct StackFrame: Sendable, CustomStringConvertible {
    /// The function, demangled; nil when the file has no name for it.
    public let function: String?
    /// The executable or library, by its path.
    public let file: String?
    /// Where in that file the code is, for `addr2line` and `llvm-symbolizer`.
    public let offset: UInt

    /// `Film.all() in /usr/bin/films + 0x4711`.
    public var description: String {
        let place = "\(file ?? "?") + 0x\(String(offset, radix: 16))"
        return function.map { "\($0) in \(place)" } ?? place
    }
}
