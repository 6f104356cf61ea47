import CLinux
import Glibc
import ReactorCore

extension Subprocess {
    /// Starts a program. Python's `Popen`. Blocks for the moment until the program runs, or cannot.
    ///
    /// - Parameters:
    ///   - program: a path, or a name that is looked for in this process's PATH.
    ///   - arguments: what it is given; no shell sees them.
    /// - Throws: `SubprocessError` with code `notStarted` (ENOENT, EACCES; of the directory, too) or `invalidArgument`;
    ///   `GreenletError` with code `systemCall` when descriptors are short. Nothing is left then.
    public static func start(
        _ program: String, _ arguments: String..., options: Options = Options()
    ) throws -> Subprocess {
        try start([program] + arguments, options: options)
    }

    /// Starts a program: the first of the words is the program, the others are its arguments. As the other form.
    public static func start(_ command: [String], options: Options = Options()) throws -> Subprocess {
        guard let program = command.first, !program.isEmpty else {
            throw SubprocessError(.invalidArgument, "an empty command: give a program and its arguments")
        }
        try check(command, options, program)
        let ends = Ends()
        defer { ends.closeChildrens() }
        var processID: pid_t = 0
        do {
            let input = try ends.make(options.input, STDIN_FILENO)
            let output = try ends.make(options.output, STDOUT_FILENO)
            let errors = options.mergesErrors ? output : try ends.make(options.errors, STDERR_FILENO)
            let result = withCommand(command, options) { arguments, environment, directory in
                var spawn = clinux_spawn()
                spawn.program = UnsafePointer(arguments[0])
                spawn.arguments = UnsafePointer(arguments)
                spawn.environment = UnsafePointer(environment)
                spawn.directory = directory
                spawn.descriptors = (input, output, errors)
                spawn.has_own_group = options.hasOwnGroup ? 1 : 0
                return clinux_spawn_start(&spawn, &processID)
            }
            guard result == 0 else {
                let place = options.directory.map { " in \($0)" } ?? ""
                throw SubprocessError(
                    .notStarted, "the program \(program) cannot be started\(place): \(errnoText(-result))",
                    errno: -result)
            }
            let child = try Child(processID, hasOwnGroup: options.hasOwnGroup, on: .current)
            return Subprocess(
                program, child, input: ends.pipes[STDIN_FILENO], output: ends.pipes[STDOUT_FILENO],
                errors: ends.pipes[STDERR_FILENO])
        } catch {
            for pipe in ends.pipes.values { pipe.close() }
            throw error
        }
    }

    /// The ends of the pipes: ours, and the child's, which we close.
    @ReactorActor private final class Ends {
        var pipes: [Int32: GreenPipe] = [:]
        private var childrens: [Int32] = []

        /// The descriptor that the child gets; −1 for /dev/null.
        func make(_ redirection: Redirection, _ number: Int32) throws -> Int32 {
            switch redirection {
            case .null: return -1
            case .inherited: return number
            case .descriptor(let descriptor):
                guard descriptor >= 0, fcntl(descriptor, F_GETFD) >= 0 else {
                    throw SubprocessError(
                        .invalidArgument, "descriptor \(descriptor) is not open", errno: EBADF)
                }
                return descriptor
            case .pipe:
                var ends: [Int32] = [-1, -1]
                let result = clinux_pipe(&ends)
                guard result == 0 else { throw GreenletError(systemCall: "pipe", -result) }
                let (own, childs) = number == STDIN_FILENO ? (ends[1], ends[0]) : (ends[0], ends[1])
                childrens.append(childs)
                do { pipes[number] = try GreenPipe(adopting: own) } catch {
                    close(own)
                    throw error
                }
                return childs
            }
        }

        func closeChildrens() { for fd in childrens { close(fd) } }
    }

    /// Strings with a zero byte would be cut short, and names of variables with "=" mean others.
    private static func check(_ command: [String], _ options: Options, _ program: String) throws {
        let texts = command + [options.directory ?? ""] + (options.environment ?? [:]).flatMap { [$0, $1] }
        guard !texts.contains(where: { $0.utf8.contains(0) }) else {
            throw SubprocessError(
                .invalidArgument, "a command, directory or variable for \(program) has a zero byte in it")
        }
        for name in (options.environment ?? [:]).keys
        where name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) {
            throw SubprocessError(
                .invalidArgument, "\(String(reflecting: name)) cannot be the name of a variable")
        }
    }

    /// Calls `body` with arguments, environment and directory as C calls want them.
    private static func withCommand(
        _ command: [String], _ options: Options,
        _ body: (
            UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
            UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, UnsafePointer<CChar>?
        ) -> Int32
    ) -> Int32 {
        var arguments = command.map { strdup($0) } + [nil]
        var variables = options.environment?.map { strdup("\($0.key)=\($0.value)") } ?? []
        let isOwnEnvironment = options.environment != nil
        variables.append(nil)
        let directory = options.directory.map { strdup($0) } ?? nil
        defer {
            for text in arguments { free(text) }
            for text in variables { free(text) }
            free(directory)
        }
        return arguments.withUnsafeMutableBufferPointer { arguments in
            variables.withUnsafeMutableBufferPointer { variables in
                // Both end with nil, so neither is empty.
                body(
                    arguments.baseAddress!, isOwnEnvironment ? variables.baseAddress! : clinux_environment(),
                    directory)
            }
        }
    }
}
