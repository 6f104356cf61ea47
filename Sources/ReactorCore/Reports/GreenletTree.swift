/// Greenlets below those that spawned them, as text: gevent's `GreenletTree`.
///
/// ```
/// +--- "server" (1), waits for descriptor 7 to be readable since 2s, spawned at App/Main.swift:12
/// |    +--- "client-4" (4), waits for time since 120ms, spawned at App/Server.swift:40
/// +--- "ticker" (2), waits for time since 1s, spawned at App/Main.swift:14
/// ```
/// One whose spawner has ended stands at the left.
public struct GreenletTree: Sendable, CustomStringConvertible {
    private let children: [Int?: [GreenletReport]]

    /// The tree of some greenlets.
    public init(_ greenlets: [GreenletReport]) {
        let known = Set(greenlets.map(\.id))
        children = Dictionary(grouping: greenlets) { greenlet in
            greenlet.parentID.flatMap { known.contains($0) && $0 != greenlet.id ? $0 : nil }
        }
    }

    /// The text, a line each; empty without greenlets.
    public var description: String {
        var lines: [String] = []
        // By hand: greenlets may be nested as deep as they like. A level's last one is in front.
        var left: [(greenlet: GreenletReport, prefix: String, isLast: Bool)] = []
        func add(_ parent: Int?, _ prefix: String) {
            let level = children[parent] ?? []
            for (index, greenlet) in level.enumerated().reversed() {
                left.append((greenlet, prefix, index == level.count - 1))
            }
        }
        add(nil, "")
        while let (greenlet, prefix, isLast) = left.popLast() {
            lines.append("\(prefix)+--- \(greenlet)")
            add(greenlet.id, prefix + (isLast ? "     " : "|    "))
        }
        return lines.joined(separator: "\n")
    }
}
