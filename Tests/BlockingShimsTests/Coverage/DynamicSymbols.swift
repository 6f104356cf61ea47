import CLinux
import Glibc

/// The functions that a shared library wants from others and offers to them: its dynamic symbol table.
///
/// Read from the file (ELF-64 in this machine's byte order, elf(5)), so that no tool has to be installed.
struct DynamicSymbols {
    /// Names that others have to define, each once, without versions.
    private(set) var undefined: Set<String> = []
    /// Names of functions that every program may want, in any version, also one kept for old programs alone.
    private(set) var functions: Set<String> = []

    init(ofFile path: String) throws {
        let file = try ELFFile(path)
        let table = try file.section(ofType: 11)  // SHT_DYNSYM
        let names = try file.section(table.link)
        let hidden = try Self.privateVersions(of: file)
        let versions = try? file.section(ofType: 0x6fff_ffff)  // SHT_GNU_versym
        for (index, symbol) in stride(from: table.start, to: table.end, by: max(table.entry, 24)).enumerated()
        {
            let name = try file.text(names.start + Int(file.value(symbol, UInt32.self)))
            guard !name.isEmpty else { continue }
            guard try file.value(symbol + 6, UInt16.self) != 0 else {  // SHN_UNDEF
                undefined.insert(name)
                continue
            }
            let kind = try file.value(symbol + 4, UInt8.self) & 15
            guard kind == 2 || kind == 10 else { continue }  // STT_FUNC, STT_GNU_IFUNC
            let version = try versions.map { try file.value($0.start + index * 2, UInt16.self) & 0x7fff }
            if version.map(hidden.contains) != true { functions.insert(name) }
        }
    }

    /// The numbers of the versions that are glibc's own affair.
    private static func privateVersions(of file: ELFFile) throws -> Set<UInt16> {
        guard let table = try? file.section(ofType: 0x6fff_fffd) else { return [] }  // SHT_GNU_verdef
        let names = try file.section(table.link)
        var found: Set<UInt16> = []
        var place = table.start
        while true {
            let name = try place + Int(file.value(place + 12, UInt32.self))
            if try file.text(names.start + Int(file.value(name, UInt32.self))) == "GLIBC_PRIVATE" {
                found.insert(try file.value(place + 4, UInt16.self))
            }
            let next = try Int(file.value(place + 16, UInt32.self))
            guard next > 0 else { return found }
            place += next
        }
    }
}
