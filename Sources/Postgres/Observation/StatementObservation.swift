import Logging
import PostgresValues
import ReactorCore

extension PostgresConfiguration {
    /// Whether anybody wants to know of statements: the test that all others pay.
    var observesStatements: Bool { onStatement != nil || slowStatementThreshold != nil }

    /// Tells of a statement that is over.
    @ReactorActor
    func tell(
        _ text: String, since start: ReactorInstant, processID: Int32?, _ result: Result<Int, any Error>
    ) {
        let duration = start.duration(to: Reactor.current.now)
        if let threshold = slowStatementThreshold, duration >= threshold { logSlow(text, duration, result) }
        guard let onStatement else { return }
        let (rows, error): (Int?, (any Error)?) =
            switch result {
            case .success(let rows): (rows, nil)
            case .failure(let error): (nil, error)
            }
        onStatement(
            PostgresStatementEvent(
                text: text, start: start, duration: duration, rows: rows, error: error, processID: processID))
    }

    private func logSlow(_ text: String, _ duration: Duration, _ result: Result<Int, any Error>) {
        let milliseconds = Int(duration / .milliseconds(1))
        var outcome = ""
        if case .failure(let error) = result { outcome = ", then failed: \(error)" }
        // A statement may be as long as its writer likes; a log line should not.
        let line = oneLine(String(text.prefix(500)))
        logger.warning(
            "slow statement: \(milliseconds) ms\(outcome): \(line)",
            metadata: ["duration_ms": "\(milliseconds)", "database": "\(database)"])
    }
}

extension PostgresSession {
    /// Runs a statement and tells of it.
    func observed<Value>(
        _ text: String, _ rows: (Value) -> Int, _ run: () async throws -> Value
    ) async throws -> Value {
        let start = reactor.now
        do {
            let value = try await run()
            configuration.tell(text, since: start, processID: processID, .success(rows(value)))
            return value
        } catch {
            configuration.tell(text, since: start, processID: processID, .failure(error))
            throw error
        }
    }

    /// Tells of each statement of a pipeline, with the time that the pipeline took.
    func tellOfPipeline(_ steps: [PipelineStep], since start: ReactorInstant) {
        guard isObserved else { return }
        for case .statement(let call) in steps {
            guard let answer = call.answer else { continue }
            configuration.tell(
                call.sql.text, since: start, processID: processID, answer.map(\.affectedRows))
        }
    }
}
