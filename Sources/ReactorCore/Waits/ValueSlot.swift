/// Room in an object for one value of a type that the object's class is generic over.
///
/// An optional variable would do, but for what it costs where the class is not specialised, as in every `deinit`: the runtime
/// looks up the type of the optional each time an object goes, which took a sixth of a hand-over between greenlets. This is of
/// one size, whatever it holds: values of up to three words lie in it, larger ones in memory of their own.
///
/// The owner says the type, always the same, and clears the slot as it goes. The type is said and not inferred: where an
/// optional is expected, a generic result may be inferred to be one itself.
@frozen @usableFromInline struct ValueSlot {
    @usableFromInline var words: (UInt, UInt, UInt) = (0, 0, 0)
    @usableFromInline var isFull = false

    @inlinable init() {}

    /// A copy of what is in it.
    @inlinable mutating func value<Value>(_ type: Value.Type) -> Value? {
        isFull ? withAddress(of: type) { $0.pointee } : nil
    }

    /// Puts something in, or nothing, in the place of what was.
    @inlinable mutating func put<Value>(_ value: consuming Value?, _ type: Value.Type) {
        clear(type)
        guard let value else { return }
        if !Self.fits(type) {
            words.0 = UInt(bitPattern: UnsafeMutablePointer<Value>.allocate(capacity: 1))
        }
        withAddress(of: type) { $0.initialize(to: value) }
        isFull = true
    }

    /// Takes out what is in it.
    @inlinable mutating func take<Value>(_ type: Value.Type) -> Value? { isFull ? move(type) : nil }

    /// Ends what is in it.
    @inlinable mutating func clear<Value>(_ type: Value.Type) {
        // What the value's end runs finds the slot empty. No optional here: see above.
        if isFull { _ = move(type) }
    }

    @inlinable mutating func move<Value>(_ type: Value.Type) -> Value {
        isFull = false
        let value = withAddress(of: type) { $0.move() }
        if !Self.fits(type) { UnsafeMutablePointer<Value>(bitPattern: words.0)?.deallocate() }
        return value
    }

    @inlinable static func fits<Value>(_ type: Value.Type) -> Bool {
        MemoryLayout<Value>.size <= MemoryLayout<(UInt, UInt, UInt)>.size
            && MemoryLayout<Value>.alignment <= MemoryLayout<UInt>.alignment
    }

    @inlinable mutating func withAddress<Value, Result>(
        of type: Value.Type, _ body: (UnsafeMutablePointer<Value>) -> Result
    ) -> Result {
        if Self.fits(type) {
            return withUnsafeMutableBytes(of: &words) {
                body($0.baseAddress!.assumingMemoryBound(to: type))  // three words are not nothing
            }
        }
        return body(UnsafeMutablePointer<Value>(bitPattern: words.0)!)  // allocated in put
    }
}
