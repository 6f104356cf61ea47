import ReactorTesting
import Testing

@testable import Greenlets

@Suite struct ReadAheadTests {
    @Test(arguments: [UInt64](0..<20)) func bytesComeOutAsTheyWentIn(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var buffer = ReadAhead()
        var model: [UInt8] = []
        for _ in 0..<500 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                let more = (0..<Int.random(in: 0..<20, using: &random)).map { _ in
                    UInt8.random(in: 8...12, using: &random)
                }
                buffer.append(more)
                model += more
            case 3:
                let more = [UInt8](repeating: 11, count: Int.random(in: 0..<5, using: &random))
                buffer.prepend(more)
                model = more + model
            case 1:
                let count = Int.random(in: 0..<15, using: &random)
                #expect(buffer.take(atMost: count) == Array(model.prefix(count)))
                model.removeFirst(min(count, model.count))
            default:
                let end = model.firstIndex(of: 10)
                #expect(buffer.takeLine() == end.map { Array(model[...$0]) })
                if let end { model.removeFirst(end + 1) }
            }
            #expect(buffer.count == model.count, "seed \(seed)")
        }
        #expect(buffer.take(atMost: .max) == model)
    }
}
