import Glibc
import Testing

/// What must not compile, checked by the compiler that built the tests.
@Suite struct CompileTimeTests {
    static let program = """
        import Models
        import PostgresValues

        struct Client: Model {
            static let table = "clients"
            var id: Int64?
            var code: String
            var packet: String
        }

        func check(text: String, number: Int) {
            _ = Client.where { $0.code == text && $0.id == nil }
            _ = Client.where { $0.nmae == text }  // ✘ a property that does not exist
            _ = Client.where { $0.code == 3 }  // ✘ a text compared with a number
            _ = Client.where { $0.code == nil }  // ✘ nil where there is none
            _ = Client.where { $0.id.ilike("x") }  // ✘ a pattern for a number
            _ = Client.where { $0.id.in(["x"]) }  // ✘ texts among numbers
            _ = Client.where { $0.code == $0.id }  // ✘ columns of different types
            _ = Client.order { [$0.nmae.asc] }  // ✘ an order by what does not exist
            _ = Client.where(sql: "code = \\(text)")
            _ = Client.where(sql: text)  // ✘ text as SQL
            _ = Client.where(sql: "code = " + text)  // ✘ text pasted to SQL
            let _: SQL = "SELECT \\(text), \\(number), \\(ident: text), \\(raw: text)"
            let _: SQL = text  // ✘ text as SQL
            _ = SQL(stringLiteral: text)  // ✘ text as if it were a literal
            let _: SQL = "SELECT \\(Client.self)"  // ✘ a value that cannot be bound
        }
        """

    @Test func mistakesAreCompileErrorsAndTheRestCompiles() throws {
        let lines = Self.program.split(separator: "\n", omittingEmptySubsequences: false)
        let marked = Set(lines.indices.filter { lines[$0].contains("✘") }.map { $0 + 1 })
        let (refused, output) = try refusedLines(Self.program)
        #expect(refused == marked, "\(output)")
    }

    /// The lines at which the compiler finds errors, and all it says.
    private func refusedLines(_ program: String) throws -> (lines: Set<Int>, output: String) {
        var path = Array("/tmp/models-compile-XXXXXX.swift".utf8CString)
        let fd = mkstemps(&path, 6)
        try #require(fd >= 0)
        let file = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(file) }
        try #require(write(fd, program, program.utf8.count) == program.utf8.count)
        close(fd)

        let sources = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/Sources"
        let build = try directoryOfThisProgram()
        let command = """
            maps=''
            for map in '\(build)'/*.build/module.modulemap '\(sources)'/*/module.modulemap; do
                maps="$maps -Xcc -fmodule-map-file=$map"
            done
            swiftc -typecheck -swift-version 6 -I '\(build)/Modules' $maps \
                -Xcc -I"$(pg_config --includedir)" '\(file)' 2>&1
            """
        let output = try run(command)
        let lines = output.split(separator: "\n").compactMap { line -> Int? in
            guard line.hasPrefix(file), line.contains(": error: ") else { return nil }
            return Int(line.dropFirst(file.count + 1).prefix { $0 != ":" })
        }
        return (Set(lines), output)
    }

    private func directoryOfThisProgram() throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        try #require(length > 0)
        let path = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
    }

    private func run(_ command: String) throws -> String {
        let pipe = try #require(popen(command, "r"))
        defer { pclose(pipe) }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 {
            output += chunk[..<count]
        }
        return String(decoding: output, as: UTF8.self)
    }
}
