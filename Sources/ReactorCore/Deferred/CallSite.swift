/// A place in the source, `Module/File.swift:12`: kept for each callback, so no larger than two words.
public struct CallSite: @unchecked Sendable, CustomStringConvertible {  // the text is part of the program
    @usableFromInline let file: UnsafePointer<UInt8>?
    @usableFromInline let line: UInt32

    /// The place that `#fileID` and `#line` name.
    @inlinable public init(_ file: StaticString, _ line: UInt) {
        self.init(text: file.hasPointerRepresentation ? file.utf8Start : nil, line)
    }

    @inlinable init(text: UnsafePointer<UInt8>?, _ line: UInt) {
        file = text
        self.line = UInt32(truncatingIfNeeded: line)
    }

    /// The file and the line, for code that must not allocate.
    package var words: (file: UnsafePointer<UInt8>?, line: UInt32) { (file, line) }

    /// `Module/File.swift:12`.
    public var description: String {
        // A StaticString's text ends with a zero.
        file.map { "\(String(cString: $0)):\(line)" } ?? "?"
    }
}
