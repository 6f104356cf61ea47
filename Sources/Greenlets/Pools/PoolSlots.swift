import ReactorCore

/// The slots of a pool, handed out first come, first served.
@ReactorActor
final class PoolSlots {
    /// Nil for any number.
    private(set) var limit: Int?
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

    /// Changes the number: those who wait get the slots there are more of; slots there are less of vanish as they are given
    /// back.
    func adjust(limit: Int?) {
        self.limit = limit
        while availableCount > 0, line.openFirst() { takenCount += 1 }
        if availableCount > 0 { watchers.openAll() }
    }

    /// Hands the slot to whoever waits longest, unless there are too many.
    func giveBack() {
        if availableCount >= 0, line.openFirst() { return }
        takenCount -= 1
        if availableCount > 0 { watchers.openAll() }
    }
}
