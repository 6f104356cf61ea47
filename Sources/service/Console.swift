import Glibc

/// What the program says to the person who started it: whole lines, unbuffered, past the log.
enum Console {
    /// Writes lines to standard output.
    static func print(_ text: String) { write(text, to: STDOUT_FILENO) }

    /// Writes an error to standard error, under the program's name.
    static func printError(_ text: String) { write("service: \(text)", to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array((text + "\n").utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno != EINTR { return }  // nobody listens
            bytes = bytes.dropFirst(max(0, count))
        }
    }
}
