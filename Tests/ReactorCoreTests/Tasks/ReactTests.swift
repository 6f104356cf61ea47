import CLinux
import Glibc
import ReactorCore
import ReactorTesting
import Testing

@Suite struct ReactTests {
    private struct Broken: Error {}

    // MARK: The code

    @Test func codeOfAMainThatReturnsIsZero() throws {  // S50
        let reactor = Reactor(clock: ManualClock(isAutomatic: true))
        let code = reactor.exitCode { reactor in try await reactor.sleep(for: .seconds(2)) }
        #expect(code == 0)
        #expect(!reactor.isRunning)
    }

    @Test(arguments: [true, false])
    func errorOfMainIsReportedOnceAndTheCodeIsOne(waits: Bool) throws {  // S50
        let (code, errors) = run { reactor in
            if waits { try await reactor.sleep(for: .seconds(1)) }
            throw Broken()
        }
        #expect(code == 1)
        #expect(errors.count == 1 && errors[0].contains("Broken") && errors[0].contains("ReactTests.swift:"))
    }

    @Test func codeOfASystemExitIsUsedAndNothingReported() throws {  // S50
        let (code, errors) = run { _ in throw SystemExit(23) }
        #expect(code == 23)
        #expect(errors.isEmpty)
    }

    @Test func systemExitIsFoundInAFailureOfADeferred() throws {
        let (code, errors) = run { _ in
            try await Deferred<Void>.fail(SystemExit(23)).addFailureErrback { throw $0 }.value
        }
        #expect(code == 23)
        #expect(errors.isEmpty)
    }

    @Test func systemExitWrappedByTrapIsFound() throws {
        let (code, errors) = run { _ in throw Failure(SystemExit(23)) }
        #expect(code == 23)
        #expect(errors.isEmpty)
    }

    // MARK: A reactor that stops

    @Test func mainMayStopTheReactorBeforeItReturns() throws {  // S50
        let (code, errors) = run { reactor in try reactor.stop() }
        #expect(code == 0)
        #expect(errors.isEmpty)
    }

    @Test func stoppedReactorCancelsMainAndTheCodeIsZero() throws {  // S50
        let (code, errors) = run { reactor in
            reactor.callLater(.seconds(1)) { try reactor.stop() }
            try await Deferred<Void>().value
        }
        #expect(code == 0)
        #expect(errors.isEmpty)
    }

    @Test func errorAfterTheReactorWasStoppedStillCounts() throws {  // S50
        let (code, errors) = run { reactor in
            try reactor.stop()
            do { try await reactor.sleep(for: .seconds(60)) } catch { throw Broken() }
        }
        #expect(code == 1)
        #expect(errors.count == 1)
    }

    @Test func cancellationThatNobodyAskedForIsAnError() throws {
        let (code, errors) = run { _ in throw CancellationError() }
        #expect(code == 1)
        #expect(errors.count == 1)
    }

    @Test func reactorCanReactAgain() throws {
        let reactor = Reactor(clock: ManualClock(isAutomatic: true))
        let codes = [Int32](arrayLiteral: 4, 0, 5).map { code in
            reactor.exitCode { _ in if code > 0 { throw SystemExit(code) } }
        }
        #expect(codes == [4, 0, 5])
    }

    private func run(
        _ main: @escaping @Sendable @ReactorActor (Reactor) async throws -> Void
    ) -> (code: Int32, errors: [String]) {
        let reactor = Reactor(clock: ManualClock(isAutomatic: true))
        let errors = Errors()
        let code = reactor.exitCode { reactor in
            reactor.onUncaughtError = { error, context in errors.all.append("\(error) in \(context)") }
            try await main(reactor)
        }
        return (code, errors.all)
    }

    /// Written on the reactor's thread, which is the test's.
    private final class Errors: @unchecked Sendable {  // one thread, see above
        var all: [String] = []
    }

    // MARK: The process

    @Test func processEndsWithZeroWhenMainReturns() async {  // S50
        let exit = await #expect(processExitsWith: .exitCode(0), observing: [\.standardOutputContent]) {
            react { reactor in
                try await reactor.sleep(for: .milliseconds(1))
                print("done", terminator: "")
            }
        }
        let said = text(exit?.standardOutputContent)
        #expect(said.contains("done"))
    }

    @Test func processEndsWithOneAndOneReportWhenMainFails() async {  // S50
        let exit = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
            react { reactor in reactor.deferLater(.milliseconds(1)) { throw Broken() } }
        }
        let said = text(exit?.standardErrorContent)
        #expect(said.components(of: "Broken()") == 1, Comment(rawValue: said))
        #expect(said.contains("the main function of react at ReactorCoreTests/ReactTests.swift:"))
    }

    @Test func processEndsWithTheCodeOfASystemExit() async {  // S50
        await #expect(processExitsWith: .exitCode(23)) {
            react { _ in Deferred<Int>.fail(SystemExit(23)) }
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func signalCancelsMainAndTheCodeNamesIt(signal: Int32) async {
        let exit = await #expect(
            processExitsWith: .exitCode(128 + signal), observing: [\.standardOutputContent]
        ) { [signal] in
            react { reactor in
                pthread_kill(pthread_self(), signal)
                defer { print("cleaned up", terminator: "") }
                try await reactor.sleep(for: .seconds(60))
            }
        }
        let said = text(exit?.standardOutputContent)
        #expect(said.contains("cleaned up"))
    }

    @Test func secondSignalEndsTheProcessAtOnce() async {
        await #expect(processExitsWith: .signal(SIGINT)) {
            // As on a program's first thread; those of Swift's pool have it blocked.
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGINT)
            pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            react { reactor in
                pthread_kill(pthread_self(), SIGINT)
                do { try await reactor.sleep(for: .seconds(60)) } catch {
                    pthread_kill(pthread_self(), SIGINT)
                    try await Deferred<Void>(onCancel: { _ in }).value
                }
            }
        }
    }

    @Test func codeOnAReactorThatRunsIsOneAndMainIsNotCalled() async throws {
        try await withReactor { reactor in
            let code = reactor.exitCode { _ in throw SystemExit(23) }
            #expect(code == 1)
        }
    }

    private func text(_ bytes: [UInt8]?) -> String { String(decoding: bytes ?? [], as: UTF8.self) }
}

extension String {
    fileprivate func components(of word: String) -> Int {
        var count = 0
        var rest = self[...]
        while let found = rest.firstRange(of: word) {
            count += 1
            rest = rest[found.upperBound...]
        }
        return count
    }
}
