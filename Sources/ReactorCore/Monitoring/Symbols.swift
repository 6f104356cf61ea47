import CLinux
import Glibc

/// Names for code addresses: the dynamic linker's, and for what executables do not export those of their symbol tables.
enum Symbols {
    /// One frame for each address, innermost first; all but the first are return addresses, right behind a call.
    static func frames(_ addresses: [UInt], _ map: MemoryMap) -> [StackFrame] {
        let places = addresses.enumerated().map { index, address in
            // The call itself: behind the last call of a function begins the next.
            place(of: index == 0 ? address : address - 1, map)
        }
        let callees = addresses.enumerated().map { index, address -> Place? in
            let target = index == 0 ? 0 : clinux_call_target(address)
            return target == 0 ? nil : place(of: target, map)
        }
        var tables: [String: [UInt: String]] = [:]
        let nameless = (places + callees.compactMap { $0 }).filter { $0.name == nil && $0.file != nil }
        for (file, group) in Dictionary(grouping: nameless, by: { $0.file! }) {  // filtered
            tables[file] = names(in: file, of: group.map(\.offset))
        }
        func name(_ place: Place) -> String? {
            (place.name ?? place.file.flatMap { tables[$0]?[place.offset] }).map(demangled)
        }
        return zip(places, callees).map { place, callee in
            StackFrame(
                function: name(place), file: place.file, offset: place.offset, callee: callee.flatMap(name))
        }
    }

    /// From the file's own table of symbols, which C reads: it may be as long as a debug build's.
    private static func names(in file: String, of offsets: [UInt]) -> [UInt: String] {
        var found = [UnsafeMutablePointer<CChar>?](repeating: nil, count: offsets.count)
        clinux_symbol_names(file, offsets, offsets.count, &found)
        var names: [UInt: String] = [:]
        for (offset, name) in zip(offsets, found) {
            guard let name else { continue }
            names[offset] = String(cString: name)
            free(name)
        }
        return names
    }

    private struct Place {
        let file: String?
        let offset: UInt
        let name: String?
    }

    private static func place(of address: UInt, _ map: MemoryMap) -> Place {
        let symbol = clinux_find_symbol(address)
        guard symbol.file != nil else { return Place(file: nil, offset: address, name: nil) }
        // The loader knows an executable by what it was called as, the kernel by its path.
        let path = map.region(of: address)?.path
        let file = path.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? symbol.file.map { String(cString: $0) }
        // The nearest exported symbol may be another function's: the file's own table knows all, unless it was
        // stripped.
        let isNear = symbol.name != nil && map.isSystemLibrary(address)
        return Place(
            file: file, offset: address - UInt(symbol.base), name: isNear ? String(cString: symbol.name) : nil
        )
    }

    private typealias Demangle =
        @convention(c) (
            UnsafePointer<CChar>?, Int, UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<Int>?, UInt32
        ) -> UnsafeMutablePointer<CChar>?

    /// The runtime's own, part of its ABI; nil where it is missing.
    private static let demangle: Demangle? = dlsym(nil, "swift_demangle").map {
        unsafeBitCast($0, to: Demangle.self)  // declared so in the runtime's Demangle.h
    }

    static func demangled(_ name: String) -> String {
        guard name.hasPrefix("$s") || name.hasPrefix("$S"), let demangle else { return name }
        return name.withCString { text in
            guard let result = demangle(text, strlen(text), nil, nil, 0) else { return name }
            defer { free(result) }
            return String(cString: result)
        }
    }
}
