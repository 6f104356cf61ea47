import Glibc
import ReactorCore
import ReactorTesting
import Testing

@testable import Greenlets

@Suite(.everyBackend) struct SubprocessTests {
    private func shell(_ script: String) -> [String] { ["/bin/sh", "-c", script] }

    @Test func runGivesStatusOutputAndErrors() async throws {
        try await withReactor { _ in
            let output = try await Subprocess.run(
                shell("cat; echo oops >&2; exit 3"), input: Array("hello".utf8), timeout: .seconds(60))
            #expect(output.status == .exited(3))
            #expect(output.outputText == "hello")
            #expect(output.errorText == "oops\n")
            let error = #expect(throws: SubprocessError.self) { try output.checked("sh") }
            #expect(error?.code == .failed)
            #expect(error?.message == "the program sh ended with exit code 3")
            #expect(error?.output == output)
            #expect(try await Subprocess.run("true").checked("true").status?.isSuccess == true)
        }
    }

    @Test func synchronousGreenletsRunProgramsAtTheSameTime() async throws {
        try await withReactor { reactor in
            // Each ends when the others have begun.
            let (reading, writing) = try GreenPipe.make()
            var options = Subprocess.Options()
            options.output = .descriptor(writing.descriptor)
            let programs = try (0..<3).map { _ in
                try Subprocess.start(shell("echo x; read y"), options: options)
            }
            let greenlets = programs.map { program in
                Greenlet.spawn { () throws -> Subprocess.Status in
                    try withSubprocess(program) { (program: Subprocess) throws in try program.wait() }
                }
            }
            #expect(try await reading.read(exactly: 6) == Array("x\nx\nx\n".utf8))
            for program in programs { try await program.input?.write("y\n") }
            for greenlet in greenlets { #expect(try await greenlet.get() == .exited(0)) }
            let run = Greenlet.spawn { try Subprocess.run("echo", "a b", "$HOME") }
            #expect(try await run.get().outputText == "a b $HOME\n")
            writing.close()
            #expect(try await reading.readToEnd().isEmpty, "nobody has kept the other end")
        }
    }

    @Test func communicateGoesOnAfterATimeout() async throws {
        let clock = ManualClock()
        try await withReactor(clock: clock) { _ in
            let process = try Subprocess.start(shell("echo one; read line; echo two $line"))
            try await withSubprocess(process) { process in
                // Nothing is written before the program ends, for its input is a pipe that holds it all.
                let (reading, writing) = try GreenPipe.make()
                var options = Subprocess.Options()
                options.errors = .descriptor(writing.descriptor)
                let held = try Subprocess.start(
                    shell("echo one; echo >&2; exec sleep 3600"), options: options)
                writing.close()
                let early = Greenlet.spawn { () async throws in
                    try await held.communicate(timeout: .milliseconds(300))
                }
                early.onReady {}  // somebody hears of its error
                _ = try await reading.lines().next()  // written behind the output
                await clock.pump([.zero, .milliseconds(300)])
                let error = await #expect(throws: SubprocessError.self) { try await early.get() }
                #expect(error?.output.outputText == "one\n")
                try held.terminate()
                let rest = try await held.communicate()
                #expect(rest.outputText == "one\n" && rest.status == .signalled(SIGTERM))
                let output = try await process.communicate(Array("x\n".utf8), timeout: .seconds(60))
                #expect(output.outputText == "one\ntwo x\n")
            }
        }
    }

    @Test func moreThanPipesHoldGoesBothWays() async throws {
        try await withReactor { _ in
            let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let output = try await Subprocess.run("cat", input: bytes)
            #expect(output.output == bytes)
            // One that does not read its input is no error, and no signal.
            let deaf = try await Subprocess.run("true", input: bytes)
            #expect(deaf.status == .exited(0))
        }
    }

    @Test func linesAreReadWhileTheProgramRuns() async throws {
        try await withReactor { _ in
            let process = try Subprocess.start(shell("while read line; do echo got $line; done"))
            try await withSubprocess(process) { process in
                var lines: [String] = []
                try await process.input?.write("1\n")
                for try await line in try #require(process.output).lines() {
                    lines.append(line)
                    if lines.count == 3 {
                        process.input?.close()
                    } else {
                        try await process.input?.write("2\n")
                    }
                }
                #expect(lines == ["got 1", "got 2", "got 2"])
                #expect(try await process.wait() == .exited(0))
                #expect(process.status == .exited(0))
                #expect(try !process.kill(), "it has ended")
            }
        }
    }

    @Test func directoryEnvironmentAndRedirections() async throws {
        try await withReactor { _ in
            var options = Subprocess.Options()
            options.directory = "/usr"
            options.environment = ["GREEN": "a=b", "PATH": "/bin:/usr/bin"]
            options.mergesErrors = true
            options.input = .null
            let output = try await Subprocess.run(
                shell("pwd; echo $GREEN $HOME >&2; cat; ls /proc/self/fd"), options: options)
            // ls has the directory it lists open, and nothing of ours.
            #expect(output.outputText == "/usr\na=b\n0\n1\n2\n3\n")
            options.output = .null
            let silent = try await Subprocess.run(shell("echo x; echo y >&2"), options: options)
            #expect(silent.output.isEmpty && silent.errors.isEmpty && silent.status == .exited(0))
        }
    }

    @Test func wholeGroupHearsASignal() async throws {
        try await withReactor { _ in
            var options = Subprocess.Options()
            options.hasOwnGroup = true
            let process = try Subprocess.start(shell("sleep 3600 & echo ready; wait"), options: options)
            try await withSubprocess(process) { process in
                #expect(getpgid(process.processID) == process.processID)
                let output = try #require(process.output)
                let line = try await output.lines().next()
                #expect(line == "ready")
                #expect(try process.kill())
                // The end of the output is the end of all who had it.
                let rest = try await output.readToEnd(timeout: .seconds(60))
                #expect(rest.isEmpty)
                #expect(try await process.wait() == .signalled(SIGKILL))
            }
        }
    }

    @Test func whatCannotBeStartedIsAClearError() async throws {
        try await withReactor { _ in
            var nowhere = Subprocess.Options()
            nowhere.directory = "/nonexistent"
            for (command, options, code) in [
                (["/no-such-program-here"], .init(), ENOENT), (["/etc/passwd"], .init(), EACCES),
                (["true"], nowhere, ENOENT),
            ] {
                let error = #expect(throws: SubprocessError.self) {
                    try Subprocess.start(command, options: options)
                }
                #expect(error?.code == .notStarted)
                #expect(error?.errno == code)
                #expect(error?.message.hasPrefix("the program \(command[0]) cannot be started") == true)
            }
            var wild = Subprocess.Options()
            wild.environment = ["A=B": "c"]
            var closed = Subprocess.Options()
            closed.errors = .descriptor(.max)
            for (command, options) in [
                ([], .init()), ([""], .init()), (["true", "a\0b"], .init()), (["true"], wild),
                (["true"], closed),
            ] {
                let error = #expect(throws: SubprocessError.self) {
                    try Subprocess.start(command, options: options)
                }
                #expect(error?.code == .invalidArgument)
            }
        }
    }
}
