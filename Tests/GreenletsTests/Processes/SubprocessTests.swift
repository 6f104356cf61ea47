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

    @Test func timeoutCarriesWhatWasWrittenAndKillsAndFetches() async throws {
        try await withReactor { _ in
            let (reading, writing) = try GreenPipe.make()
            var options = Subprocess.Options()
            options.errors = .descriptor(writing.descriptor)
            // The errors tell its number, and end with it.
            let error = await #expect(throws: SubprocessError.self) {
                try await Subprocess.run(
                    shell("echo so far; echo $$ >&2; exec sleep 3600"), timeout: .milliseconds(300),
                    options: options)
            }
            writing.close()
            #expect(error?.isTimeout == true)
            #expect(error?.output.outputText == "so far\n")
            #expect(error?.message.hasPrefix("the program /bin/sh took longer than 0.3 seconds") == true)
            let text = String(decoding: try await reading.readToEnd(), as: UTF8.self)
            let number = try #require(Int32(text.dropLast()))
            #expect(kill(number, 0) < 0 && errno == ESRCH, "neither runs nor is a zombie")
        }
    }

    @Test func communicateGoesOnAfterATimeout() async throws {
        try await withReactor { _ in
            let process = try Subprocess.start(shell("echo one; read line; echo two $line"))
            try await withSubprocess(process) { process in
                // Nothing is written before the program ends, for its input is a pipe that holds it all.
                let held = try Subprocess.start(shell("echo one; exec sleep 3600"))
                let error = await #expect(throws: SubprocessError.self) {
                    try await held.communicate(timeout: .milliseconds(300))
                }
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
                (["no-such-program-here"], .init(), ENOENT), (["/etc/passwd"], .init(), EACCES),
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
            closed.errors = .descriptor(987)
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

    /// In a process of its own: others of this one open descriptors meanwhile.
    @Test func noPathLeavesADescriptor() async {
        await #expect(processExitsWith: .success) {
            func count() -> Int { (0..<1024).count { fcntl($0, F_GETFD) >= 0 } }
            let reactor = Reactor()
            try reactor.run(until: {
                _ = try await Subprocess.run("true")  // what the loop opens for itself is open from then on
                let before = count()
                for _ in 0..<20 {
                    _ = try? Subprocess.start("no-such-program-here")
                    _ = try await Subprocess.run("cat", input: [1])
                    _ = try? await Subprocess.run("sleep", "3600", timeout: .milliseconds(1))
                    _ = try await withSubprocess(try Subprocess.start("cat")) { $0.processID }
                }
                for _ in 0..<1000 where count() > before { await reactor.yield() }
                precondition(count() == before, "\(count() - before) descriptors are left")
            })
        }
    }

    @Test func childWhoseObjectIsReleasedIsFetchedAllTheSame() async throws {
        try await withReactor { reactor in
            let number = try Subprocess.start("true").processID
            while kill(number, 0) == 0 { try await reactor.sleep(for: .milliseconds(1)) }
            #expect(errno == ESRCH)
            while !reactor.watchedDescriptors.isEmpty { await reactor.yield() }
        }
    }

    @Test func anyNumberMayWaitAndEachHasItsTime() async throws {
        try await withReactor { _ in
            let process = try Subprocess.start("cat")
            try await withSubprocess(process) { process in
                let waiting = (0..<5).map { number in
                    number % 2 == 0
                        ? Greenlet.spawn { try process.wait() }
                        : Greenlet.spawn { () async throws in try await process.wait() }
                }
                let error = await #expect(throws: SubprocessError.self) {
                    try await process.wait(timeout: .milliseconds(2))
                }
                #expect(error?.isTimeout == true)
                try await waiting[0].kill()
                process.input?.close()
                for greenlet in waiting.dropFirst() { #expect(try await greenlet.get() == .exited(0)) }
            }
        }
    }

    @Test func childrenAreWaitedForAsGreenletsAre() async throws {
        try await withReactor { _ in
            let slow = try Subprocess.start("cat")
            let quick = try Subprocess.start("true")
            try await withSubprocess(slow) { slow in
                let ready = try await Greenlet.wait(for: [slow, quick], count: 1)
                #expect(ready.count == 1 && ready.first === quick)
                #expect(quick.isReady && !slow.isReady)
            }
            #expect(slow.isReady)
        }
    }

    /// However a run is given up, its child is gone.
    @Test(arguments: [UInt64](0..<4)) func nothingIsLeftOfRunsGivenUp(seed: UInt64) async throws {
        try await withReactor { reactor in
            var random = SeededGenerator(seed: seed)
            let (reading, writing) = try GreenPipe.make()
            var options = Subprocess.Options()
            options.errors = .descriptor(writing.descriptor)
            var greenlets: [Greenlet<Subprocess.Output?>] = []
            for number in 0..<12 {
                let command = shell("echo $$ >&2; cat; exec sleep \(number % 2 == 0 ? 0 : 3600)")
                greenlets.append(
                    Bool.random(using: &random)
                        ? Greenlet.spawn { () async throws in
                            try? await Subprocess.run(command, input: [1, 2, 3], options: options)
                        }
                        : Greenlet.spawn { try? Subprocess.run(command, input: [1, 2, 3], options: options) })
                for _ in 0..<Int.random(in: 0..<40, using: &random) { await reactor.yield() }
                if Bool.random(using: &random) { try await reactor.sleep(for: .milliseconds(3)) }
                if Bool.random(using: &random) { greenlets.randomElement(using: &random)?.cancel() }
            }
            for greenlet in greenlets {
                greenlet.cancel()
                try await greenlet.join()
            }
            writing.close()
            // Ends when all who had it have.
            let text = String(decoding: try await reading.readToEnd(timeout: .seconds(60)), as: UTF8.self)
            for number in text.split(separator: "\n").compactMap({ Int32($0) }) {
                #expect(kill(number, 0) < 0 && errno == ESRCH, "seed \(seed)")
            }
            for _ in 0..<1000 where !reactor.watchedDescriptors.isEmpty { await reactor.yield() }
            #expect(reactor.watchedDescriptors.isEmpty)
        }
    }
}
