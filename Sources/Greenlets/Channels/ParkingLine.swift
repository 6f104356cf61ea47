import DequeModule
public import ReactorCore

/// Tasks that wait for their turn, first come, first served. One that was cancelled stays in the line until its task
/// runs, and is passed over.
///
/// Not generic, so that a line of any kind of latch is compiled once, here.
@ReactorActor @usableFromInline struct ParkingLine {
    private var places = Deque<Latch>()

    nonisolated init() {}

    /// Those who still wait.
    var count: Int { places.count { $0.isPending } }

    @usableFromInline mutating func append(_ place: Latch) { places.append(place) }

    @usableFromInline mutating func remove(_ place: Latch) { places.removeAll { $0 === place } }

    /// Takes out whoever waits longest, still waiting.
    @usableFromInline mutating func popFirst() -> Latch? {
        while let place = places.popFirst() {
            if place.isPending { return place }
        }
        return nil
    }

    mutating func fail(with error: any Error) {
        for place in places { place.open(throwing: error) }
        places = []
    }
}
