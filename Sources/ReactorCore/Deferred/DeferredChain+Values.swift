extension DeferredChain {
    /// Whether a value lies in the chain's own words.
    @inlinable static func isInline<Value>(_: Value.Type) -> Bool {
        MemoryLayout<Value>.size <= MemoryLayout<Words>.size
            && MemoryLayout<Value>.alignment <= MemoryLayout<Words>.alignment
    }

    /// Leaves a value. There is none.
    @inlinable func put<Value>(_ value: Value) {
        content = .value
        if Self.isInline(Value.self) {
            if MemoryLayout<Value>.size > 0 {
                withUnsafeMutablePointer(to: &words) {
                    _ = UnsafeMutableRawPointer($0).initializeMemory(as: Value.self, to: value)
                }
            }
            if !_isPOD(Value.self) { storedType = Value.self }
        } else {
            // Given up in take(_:) or release(_:).
            words.0 = UInt(bitPattern: Unmanaged.passRetained(Box(value)).toOpaque())
            storedType = Value.self
        }
    }

    /// Takes the value, which is a `Value`, out.
    @inlinable func take<Value>(_: Value.Type) -> Value {
        content = .nothing
        if Self.isInline(Value.self) {
            if !_isPOD(Value.self) { storedType = nil }
            return withUnsafeMutablePointer(to: &words) {
                UnsafeMutableRawPointer($0).assumingMemoryBound(to: Value.self).move()
            }
        }
        storedType = nil
        // Retained in put(_:).
        return Unmanaged<Box<Value>>.fromOpaque(UnsafeRawPointer(bitPattern: words.0)!).takeRetainedValue()
            .value
    }

    /// Takes the outcome out, whichever it is.
    @inlinable func takeResult<Value>(_: Value.Type) -> Result<Value, any Error> {
        content == .failure ? .failure(takeFailure()) : .success(take(Value.self))
    }

    /// The outcome, which stays. Nil when there is none.
    func peek<Value>(_: Value.Type) -> Result<Value, any Error>? {
        switch content {
        case .nothing: return nil
        case .failure: return .failure(currentFailure!)  // set whenever the content is a failure
        case .value:
            if Self.isInline(Value.self) {
                return withUnsafeMutablePointer(to: &words) {
                    .success(UnsafeMutableRawPointer($0).assumingMemoryBound(to: Value.self).pointee)
                }
            }
            // Retained in put(_:).
            return .success(
                Unmanaged<Box<Value>>.fromOpaque(UnsafeRawPointer(bitPattern: words.0)!)
                    .takeUnretainedValue().value)
        }
    }

    /// Releases the value that nobody took. Any thread.
    static func release(_ type: Any.Type, _ words: inout Words) {
        func release<Value>(_: Value.Type, _ words: inout Words) {
            if isInline(Value.self) {
                withUnsafeMutablePointer(to: &words) {
                    Graveyard.bury(UnsafeMutableRawPointer($0).assumingMemoryBound(to: Value.self))
                }
            } else {
                // Retained in put(_:).
                let box = Unmanaged<Box<Value>>.fromOpaque(UnsafeRawPointer(bitPattern: words.0)!)
                Graveyard.bury { $0.append(.object(box.takeRetainedValue())) }
            }
        }
        release(type, &words)
    }

    /// A value too large for the chain.
    @usableFromInline final class Box<Value> {
        @usableFromInline let value: Value
        @inlinable init(_ value: Value) { self.value = value }
    }
}
