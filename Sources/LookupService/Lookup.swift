import Greenlets
import Models
public import NIOCore
public import Postgres
import ReactorCore
public import Transports

/// The lookup protocol in callback style: one object a connection, reactor-only, so no locks.
///
/// Each line is looked up in a greenlet of its own, by code that looks blocking; several lines of one connection are in work at
/// once and are answered in the order they came. A client that sends lines faster than it reads answers is paused.
public final class Lookup: LineReceiver {
    private let db: any PostgresDatabase
    private let latency: Duration
    private var answers = AnswerQueue()
    private static let linesInWork = 32

    /// A protocol for one connection.
    public init(db: any PostgresDatabase, latency: Duration = .zero) {
        self.db = db
        self.latency = latency
        super.init()
    }

    /// Answers a line, soon.
    public func lineReceived(_ line: String) {
        switch LookupRequest(line: line) {
        case .goodBye:
            answers.finish()
            sendAnswers()
        case .invalid(let message):
            answers.fulfil(answers.reserve(), with: LookupRequest.errorLine(message))
            sendAnswers()
        case .lookUp(let code):
            let place = answers.reserve()
            beginWork()
            if answers.pendingCount >= Self.linesInWork { pauseProducing() }
            reactor.deferToGreenlet { [db, latency] in try Client.with(code: code, latency: latency).first(db)
            }
            .addCallback { LookupRequest.answer($0, code: code) }
            .addErrback { LookupRequest.errorLine($0) }
            .addCallback { self.answer(place, $0) }
        }
    }

    private func answer(_ place: Int, _ text: String) {
        answers.fulfil(place, with: text)
        sendAnswers()
        if answers.pendingCount < Self.linesInWork { resumeProducing() }
        endWork()
    }

    private func sendAnswers() {
        for text in answers.takeReady() { send(text) }
        if answers.isFinished {
            send("Good bye")
            loseConnection()
        }
    }

    /// Says so and goes on with the next line.
    public func lineEncodingInvalid(_ line: ByteBuffer) {
        answers.fulfil(answers.reserve(), with: LookupRequest.errorLine("the line is not UTF-8"))
        sendAnswers()
    }

    /// Says so and closes.
    public func lineLengthExceeded(limit: Int) {
        send(LookupRequest.errorLine("the line is longer than \(limit) bytes"))
        loseConnection()
    }
}
