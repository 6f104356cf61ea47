import CLinux
import Glibc

typealias CFile = UnsafeMutablePointer<FILE>

/// A C stream over one descriptor of a pair, closed at the end of the scope that holds it.
final class Stream {
    let pair: Pair
    private(set) var file: CFile
    private var isOpen = true

    /// Reads from `pair.first`, or writes to `pair.second`.
    init(_ pair: Pair, _ mode: String) {
        self.pair = pair
        let copy = dup(mode.hasPrefix("r") ? pair.first : pair.second)
        file = fdopen(copy, mode)!  // the descriptor is open and the mode valid
        if !mode.hasPrefix("r") { pair.closeSecond() }
    }

    var fd: Int32 { fileno(file) }

    deinit { if isOpen { fclose(file) } }

    /// Gives the stream up: somebody else closes it.
    func release() -> CFile {
        isOpen = false
        return file
    }

    func feed(_ text: String) { _ = write(pair.second, text, text.utf8.count) }
}

/// Functions of stdio by their symbols, as libraries call them; the types are those of <stdio.h> and <bits/stdio2.h>.
enum StreamFunction {
    typealias Block = @convention(c) (UnsafeMutableRawPointer, Int, Int, CFile) -> Int
    typealias CheckedBlock = @convention(c) (UnsafeMutableRawPointer, Int, Int, Int, CFile) -> Int
    typealias Line = @convention(c) (UnsafeMutableRawPointer, Int32, CFile) -> UnsafeMutableRawPointer?
    typealias CheckedLine =
        @convention(c) (UnsafeMutableRawPointer, Int, Int32, CFile) -> UnsafeMutableRawPointer?
    typealias Byte = @convention(c) (CFile) -> Int32
    typealias Delimited =
        @convention(c) (
            UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, UnsafeMutablePointer<Int>, Int32, CFile
        )
        -> Int
    typealias WholeLine =
        @convention(c) (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, UnsafeMutablePointer<Int>, CFile)
        -> Int
    typealias Text = @convention(c) (UnsafePointer<CChar>, CFile) -> Int32
    typealias Put = @convention(c) (Int32, CFile) -> Int32
    typealias Overflow = @convention(c) (CFile, Int32) -> Int32
    typealias Flush = @convention(c) (CFile) -> Int32
    // Variadic and fixed arguments of these types travel alike in Linux's C ABIs.
    typealias Format = @convention(c) (CFile, UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32
    typealias CheckedFormat =
        @convention(c) (CFile, Int32, UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32
    typealias DescriptorFormat = @convention(c) (Int32, UnsafePointer<CChar>, Int) -> Int32
    typealias CheckedDescriptorFormat = @convention(c) (Int32, Int32, UnsafePointer<CChar>, Int) -> Int32

    static func find<Type>(_ name: String, _: Type.Type) -> Type {
        unsafeBitCast(dlsym(nil, name), to: Type.self)  // TableTests checks that each is there
    }

    static let lines = ["fgets", "fgets_unlocked", "_IO_fgets"]
    static let checkedLines = ["__fgets_chk", "__fgets_unlocked_chk"]
    static let blocks = ["fread", "fread_unlocked", "_IO_fread"]
    static let checkedBlocks = ["__fread_chk", "__fread_unlocked_chk"]
    static let bytes = ["fgetc", "getc", "_IO_getc", "fgetc_unlocked", "getc_unlocked", "__uflow"]
    static let delimited = ["getdelim", "__getdelim"]
    static let readers = lines + checkedLines + blocks + checkedBlocks + bytes + delimited + ["getline"]

    /// Addresses, because a new stream has none and null pointers do not compare.
    private static func hasBytes(_ file: CFile) -> Bool {
        UInt(bitPattern: file.pointee._IO_read_ptr) < UInt(bitPattern: file.pointee._IO_read_end)
    }

    static func isFull(_ file: CFile) -> Bool {
        UInt(bitPattern: file.pointee._IO_write_ptr) >= UInt(bitPattern: file.pointee._IO_write_end)
    }

    /// Reads `size` bytes, or a line where the function is one that reads lines. Nil at the end or after an error.
    static func read(_ name: String, _ size: Int, _ file: CFile) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: size + 1)
        func text(_ count: Int) -> [UInt8]? { count > 0 ? Array(buffer.prefix(count)) : nil }
        func line() -> [UInt8] { Array(buffer.prefix { $0 != 0 }) }
        if lines.contains(name) {
            return find(name, Line.self)(&buffer, Int32(buffer.count), file) == nil ? nil : line()
        }
        if checkedLines.contains(name) {
            return find(name, CheckedLine.self)(&buffer, buffer.count, Int32(buffer.count), file) == nil
                ? nil : line()
        }
        if blocks.contains(name) { return text(find(name, Block.self)(&buffer, 1, size, file)) }
        if checkedBlocks.contains(name) {
            return text(find(name, CheckedBlock.self)(&buffer, size, 1, size, file))
        }
        if bytes.contains(name) {
            var bytes: [UInt8] = []
            while bytes.count < size {
                // What an inlined getc_unlocked does: __uflow is for an empty buffer alone.
                let isBuffered = name == "__uflow" && hasBytes(file)
                let byte = find(isBuffered ? "getc_unlocked" : name, Byte.self)(file)
                guard byte != EOF else { return bytes.isEmpty ? nil : bytes }
                bytes.append(UInt8(byte))
            }
            return bytes
        }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        let count =
            name == "getline"
            ? find(name, WholeLine.self)(&line, &capacity, file)
            : find(name, Delimited.self)(&line, &capacity, 10, file)
        // A call that succeeded has set the pointer.
        return count < 0 ? nil : (0..<count).map { UInt8(bitPattern: line![$0]) }
    }
}
