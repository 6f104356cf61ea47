import ReactorCore
import ReactorTesting
import Testing

@Suite struct UnhandledErrorTests {
    private struct Spam: Error {}

    @Test func unhandledErrorFailsWithReactorAndNamesThePlace() async {
        let error = await #expect(throws: ReactorLeak.self) {
            try await withReactor { _ in _ = Deferred<Int>.fail(Spam(), line: 7) }
        }
        let place = "ReactorTestingTests/UnhandledErrorTests.swift:7"
        #expect(
            error?.description == "the Deferred made at \(place) failed and nobody handled it: Spam()")
    }

    @Test func errorOfAnotherReactorIsNotOurs() async throws {
        try await withReactor { _ in
            await #expect(throws: ReactorLeak.self) {
                try await withReactor { _ in _ = Deferred<Int>.fail(Spam()) }
            }
        }
    }

    @Test func oneErrorHeardDoesNotExcuseTheNext() async {
        let error = await #expect(throws: ReactorLeak.self) {
            try await withReactor { _ in
                let recorder = UnhandledErrorRecorder()
                _ = Deferred<Int>.fail(Spam(), line: 1)
                let heard = recorder.errors(ofLine: 1)
                #expect(heard == ["Spam()"])
                _ = Deferred<Int>.fail(Spam(), line: 2)
            }
        }
        #expect(error?.description.contains("UnhandledErrorTests.swift:2 failed") == true)
        #expect(error?.description.contains("UnhandledErrorTests.swift:1 failed") == false)
    }
}
