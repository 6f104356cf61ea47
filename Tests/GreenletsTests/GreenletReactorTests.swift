import ReactorTesting
import Testing

@testable import Greenlets
@testable import ReactorCore

/// The shared reactor is the process's: each test has a process of its own.
@Suite struct GreenletReactorTests {
    @Test func installedReactorResolvesInGreenletsAndRuns() async throws {
        await #expect(processExitsWith: .success) {
            let installed = try GreenletReactor.install()
            precondition(installed === Reactor.shared)
            let isGreen = try installed.run(until: { reactor.resolver is GreenletResolver })
            precondition(isGreen)
        }
    }

    @Test func secondInstallIsAnError() async throws {
        await #expect(processExitsWith: .success) {
            try GreenletReactor.install()
            do throws(GreenletError) {
                try GreenletReactor.install()
                preconditionFailure("installed twice")
            } catch { precondition(error.code == .alreadyInstalled) }
        }
    }

    @Test func installWhileAReactorRunsIsAnErrorAndMayBeTriedAgain() async throws {
        await #expect(processExitsWith: .success) {
            for reactor in [Reactor.shared, Reactor()] {
                let code = try reactor.run(until: { () -> GreenletError.Code? in
                    do throws(GreenletError) { try GreenletReactor.install() } catch { return error.code }
                    return nil
                })
                precondition(code == .reactorRuns)
            }
            try GreenletReactor.install()
        }
    }
}
