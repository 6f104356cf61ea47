import BlockingShims
import Greenlets
import ReactorTesting
import Testing

@Suite struct BlockingShimsTests {
    @Test func linkingIsActivating() {
        #expect(BlockingShims.isActive)
        #expect(!BlockingShims.isParking)
    }

    @Test func onlySynchronousGreenletCodeParks() async throws {
        try await withReactor { _ in
            let synchronous = try await Greenlet.spawn { BlockingShims.isParking }.get()
            let asynchronous = try await Greenlet.spawn { () async in BlockingShims.isParking }.get()
            #expect(synchronous && !asynchronous)
            #expect(!BlockingShims.isParking)
        }
    }

    @Test func everyFunctionIsListedOnce() {
        #expect(Set(BlockingShims.names).count == BlockingShims.functions.count)
        #expect(BlockingShims.names.contains("poll") && BlockingShims.names.contains("__read_chk"))
    }
}
