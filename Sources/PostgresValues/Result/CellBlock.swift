/// The bytes of cells, one behind the other, and where each ends: memory that grows, without a check for each access.
///
/// One number per cell and a leading 0 say where the cell ends, or the complement of that if it is NULL. A cell starts
/// where the one before it ends.
///
/// Accesses are not checked for overlaps: each is a load or a store, done before the next begins. Sendable: a builder
/// writes only while it is the only one that has it, and nobody writes later.
@usableFromInline
final class CellBlock: @unchecked Sendable {
    @exclusivity(unchecked) @usableFromInline var bytes: UnsafeMutableRawPointer
    @exclusivity(unchecked) @usableFromInline var byteCount = 0
    @exclusivity(unchecked) @usableFromInline var byteCapacity: Int
    @exclusivity(unchecked) @usableFromInline var ends: UnsafeMutablePointer<Int>
    @exclusivity(unchecked) @usableFromInline var cellCount = 0
    @exclusivity(unchecked) @usableFromInline var cellCapacity: Int

    init(byteCapacity: Int, cellCapacity: Int) {
        self.byteCapacity = max(64, byteCapacity)
        self.cellCapacity = max(8, cellCapacity)
        bytes = .allocate(byteCount: self.byteCapacity, alignment: 8)
        ends = .allocate(capacity: self.cellCapacity + 1)
        ends[0] = 0
    }

    deinit {
        bytes.deallocate()
        ends.deallocate()
    }

    /// A copy that somebody else can write to.
    @usableFromInline
    func copy() -> CellBlock {
        let copy = CellBlock(byteCapacity: byteCapacity, cellCapacity: cellCapacity)
        copy.bytes.copyMemory(from: bytes, byteCount: byteCount)
        copy.ends.update(from: ends, count: cellCount + 1)
        (copy.byteCount, copy.cellCount) = (byteCount, cellCount)
        return copy
    }

    /// Appends a cell, copying its bytes; nil is NULL.
    @inlinable @inline(__always)
    func append(_ cell: UnsafeRawBufferPointer?) {
        if cellCount == cellCapacity { growCells() }
        cellCount += 1
        guard let cell else {
            ends[cellCount] = ~byteCount
            return
        }
        let end = byteCount + cell.count
        if end > byteCapacity { growBytes(to: end) }
        // Most cells are numbers, which are moved faster than the library is called.
        switch cell.count {
        case 0: break
        case 4:
            bytes.storeBytes(
                of: cell.loadUnaligned(as: UInt32.self), toByteOffset: byteCount, as: UInt32.self)
        case 8:
            bytes.storeBytes(
                of: cell.loadUnaligned(as: UInt64.self), toByteOffset: byteCount, as: UInt64.self)
        default: (bytes + byteCount).copyMemory(from: cell.baseAddress!, byteCount: cell.count)  // not empty
        }
        byteCount = end
        ends[cellCount] = end
    }

    @usableFromInline
    func growBytes(to count: Int) {
        byteCapacity = max(count, byteCapacity * 2)
        let grown = UnsafeMutableRawPointer.allocate(byteCount: byteCapacity, alignment: 8)
        grown.copyMemory(from: bytes, byteCount: byteCount)
        bytes.deallocate()
        bytes = grown
    }

    @usableFromInline
    func growCells() {
        cellCapacity *= 2
        let grown = UnsafeMutablePointer<Int>.allocate(capacity: cellCapacity + 1)
        grown.moveInitialize(from: ends, count: cellCount + 1)
        ends.deallocate()
        ends = grown
    }
}
