import Glibc

/// The bytes that every socket of a reactor thread receives into: one buffer a thread, not one a connection.
///
/// What was received is copied out, in its exact size, before user code runs; ten thousand idle connections hold nothing.
enum ReadBuffer {
    /// The most bytes that one connection receives in one turn, so that a fast peer cannot keep the others waiting.
    static let size = 65_536

    /// Frees a thread's buffer when the thread ends.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let result = pthread_key_create(&key) { free($0) }
        precondition(result == 0, "no thread-specific key is left: \(errnoText(result))")
        return key
    }()

    /// The calling thread's buffer. Valid until the thread ends; its content, until the next receive.
    static var ofThisThread: UnsafeMutableRawBufferPointer {
        if let memory = pthread_getspecific(key) {
            return UnsafeMutableRawBufferPointer(start: memory, count: size)
        }
        let memory = malloc(size)
        precondition(memory != nil, "no memory for a read buffer of \(size) bytes")
        pthread_setspecific(key, memory)
        return UnsafeMutableRawBufferPointer(start: memory, count: size)
    }
}
