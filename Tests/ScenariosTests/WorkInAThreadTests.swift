import Testing

@testable import scenarios

@Suite struct WorkInAThreadTests {
    @Test func theReactorGoesOnAtOnceAndHearsTheResultLater() async throws {
        let performance = try await Performance.inRealTime(of: workInAThread)
        #expect(performance.lines == ["你还没有结束我就执行了, 哈哈", "耗时操作结束了, 并把它返回的结果给我了 3"])
        let times = performance.times
        #expect(times.count == 2 && times[1] >= 3 && times[0] <= times[1])
    }
}
