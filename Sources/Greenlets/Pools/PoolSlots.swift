import ReactorCore

/// The slots of a pool, handed out first come, first served.
@ReactorActor
final class PoolSlots {
    /// Nil for any number.
    let limit: Int?
    private var takenCount = 0
    /// Who waits for a slot; empty unless all are taken.
    let line = ParkingLine()
    /// Who waits for one to be free, without taking it.
    let watchers = ParkingLine()

    init(limit: Int?) { self.limit = limit }

    var availableCount: Int { limit.map { $0 - takenCount } ?? .max }

    func tryTake() -> Bool {
        guard availableCount > 0 else { return false }
        takenCount += 1
        return true
    }

    /// Hands the slot to whoever waits longest.
    func giveBack() {
        guard !line.openFirst() else { return }
        takenCount -= 1
        watchers.openAll()
    }
}
