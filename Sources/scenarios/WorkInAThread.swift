import Glibc
import ReactorCore

/// A slow function goes to a worker thread; whoever sent it there goes on at once.
///
/// `deferToThread` returns a Deferred at once. Its callback runs on the reactor, with what the function
/// returned, when the function has.
let workInAThread = Scenario(
    "work-in-a-thread", from: "A Python tale, postscript",
    "deferToThread: go on at once, hear of the result later"
) { stage in
    @Sendable func mySleep(_ seconds: Int) -> Int {
        usleep(stage.microseconds(ofSeconds: Double(seconds)))
        return seconds
    }

    let result = reactor.deferToThread { mySleep(3) }
        .addCallback { stage.print("耗时操作结束了, 并把它返回的结果给我了 \($0)") }
    stage.print("你还没有结束我就执行了, 哈哈")
    try await result.value
}
