extension MultiplexStateMachine {
    // MARK: Lines

    /// A line to be opened; nil when no more are wanted. Answer with `lineOpened` or `lineFailed`.
    @inlinable
    public mutating func lineToOpen() -> MultiplexLine? {
        guard !isClosed, opening == 0, isWanting,
            let index = lines.firstIndex(where: { $0.phase == .vacant })
        else { return nil }
        isCrowded = false
        lines[index] = Line()
        lines[index].phase = .opening
        lines[index].serial = nextSerial
        nextSerial += 1
        return MultiplexLine(index: index, serial: lines[index].serial)
    }

    /// Whether the lines there are have too much to do, or there is none.
    @inlinable var isWanting: Bool { !queue.isEmpty || isCrowded }

    /// A line is there.
    ///
    /// - Returns: false when nobody wants it any more: it is gone, give its connection back.
    @inlinable
    public mutating func lineOpened(_ line: MultiplexLine, at now: Duration) -> Bool {
        guard holds(line), lines[line.index].phase == .opening else { return false }
        guard !isClosed else {
            lines[line.index].phase = .vacant
            return false
        }
        lines[line.index].phase = .open
        lines[line.index].since = now
        lines[line.index].openedAt = now
        return true
    }

    /// A line could not be had.
    ///
    /// - Returns: the statements that nobody will send, because there is no other line: fail them by the same reason.
    @inlinable
    public mutating func lineFailed(_ line: MultiplexLine) -> [Statement] {
        guard holds(line) else { return [] }
        lines[line.index].phase = .vacant
        return open == 0 && opening == 0 ? removeWaiting() : []
    }

    /// A line was not to be had in time. What waits goes on waiting, each for its own time, and wants a line again.
    @inlinable
    public mutating func lineMissed(_ line: MultiplexLine) {
        if holds(line), lines[line.index].phase == .opening { lines[line.index].phase = .vacant }
    }

    /// A line's connection broke. What it was sent fails, its effect unknown; what waits goes elsewhere.
    ///
    /// - Parameter unsent: how many of the youngest never left: they go back to the head of the queue.
    /// - Returns: the statements that have failed, oldest first; without those whose callers have left.
    @inlinable
    public mutating func lineLost(_ line: MultiplexLine, unsent: Int = 0) -> [Statement] {
        guard holds(line) else { return [] }
        var sent = lines[line.index].sent.removeAll()
        lines[line.index] = Line()
        for _ in 0..<min(unsent, sent.count) {
            let last = sent.removeLast()
            if !last.isAbandoned { requeue(last) }
        }
        return sent.filter { !$0.isAbandoned }.map(\.statement)
    }

    /// Whether the line is to be given back now; it is gone then.
    @inlinable
    public mutating func takeRelease(_ line: MultiplexLine) -> Bool {
        guard holds(line), lines[line.index].phase == .retiring, lines[line.index].mayGo else { return false }
        lines[line.index] = Line()
        return true
    }

    /// Lets a line have no more statements; `takeRelease` tells when it is done.
    @inlinable
    public mutating func retire(_ line: MultiplexLine) {
        if holds(line), lines[line.index].phase == .open { lines[line.index].phase = .retiring }
    }

    /// Gives lines up for others who wait for connections of their own, until as many leave as there are such waiters: those
    /// with the least to finish, and slow ones last. What they were sent they still answer; what waits has to wait for a line.
    ///
    /// - Returns: those on which nothing is outstanding: give their connections back. `takeRelease` tells of the others.
    @inlinable
    public mutating func giveWay(to waiters: Int) -> [MultiplexLine] {
        var missing = waiters - lines.count { $0.phase == .retiring && !$0.isSlow }
        var released: [MultiplexLine] = []
        while missing > 0, let index = mostDispensable {
            missing -= 1
            _givenWay += 1
            if let line = dismiss(index) { released.append(line) }
        }
        return released
    }

    /// Gives all lines up, so that whatever is not sent yet goes to connections that are lent from now on. What they were sent
    /// they still answer.
    ///
    /// - Returns: as `giveWay`.
    @inlinable
    public mutating func giveUpAll() -> [MultiplexLine] {
        lines.indices.filter { lines[$0].phase == .open }.compactMap { dismiss($0) }
    }

    /// Lets a line have no more statements; tells it when it is gone already.
    @inlinable
    mutating func dismiss(_ index: Int) -> MultiplexLine? {
        lines[index].phase = .retiring
        guard lines[index].mayGo else { return nil }
        let line = MultiplexLine(index: index, serial: lines[index].serial)
        lines[index] = Line()
        return line
    }

    @inlinable var mostDispensable: Int? {
        lines.indices.lazy.filter { lines[$0].phase == .open }.min {
            (lines[$0].isSlow ? 1 : 0, lines[$0].sent.count) < (
                lines[$1].isSlow ? 1 : 0, lines[$1].sent.count
            )
        }
    }

    /// Looks what has taken too long; to be called every few milliseconds while there are lines or statements.
    ///
    /// - Parameters:
    ///   - patience: how long a statement may wait to be sent.
    ///   - areOthersWaiting: somebody needs a connection for himself: a line is given up for him.
    @inlinable
    public mutating func tick(
        at now: Duration, patience: Duration, areOthersWaiting: Bool
    ) -> MultiplexTick<Statement> {
        var tick = MultiplexTick<Statement>()
        while let since = queue.headSince, now - since >= patience, let waiting = queue.popFirst()?.waiter {
            requeued[waiting.sequence] = nil
            tick.expired.append(waiting.statement)
        }
        var isLeaving = lines.contains { $0.phase == .retiring }
        for index in lines.indices where lines[index].phase == .open || lines[index].phase == .retiring {
            let age = now - lines[index].since
            if !lines[index].sent.isEmpty, age >= limits.slowAfter {
                lines[index].isSlow = true
                if lines[index].sent[0].isAbandoned, lines[index].cancel?.isOver != false {
                    tick.requests.append(startCancel(index))
                }
            }
            guard lines[index].phase == .open else { continue }
            let isOver =
                lines[index].sent.isEmpty && (age >= limits.idleAfter || areOthersWaiting)
                || now - lines[index].openedAt >= limits.tenure
            if isOver || areOthersWaiting && !isLeaving {
                if areOthersWaiting { _givenWay += 1 }
                lines[index].phase = .retiring
                isLeaving = true
            }
        }
        for index in lines.indices where lines[index].phase == .retiring && lines[index].mayGo {
            tick.released.append(MultiplexLine(index: index, serial: lines[index].serial))
            lines[index] = Line()
        }
        return tick
    }

    /// Takes no more statements.
    ///
    /// - Returns: those that wait and will never be sent. Lines go as their last answers come; ask `takeRelease`.
    @inlinable
    public mutating func close() -> [Statement] {
        isClosed = true
        for index in lines.indices where lines[index].phase == .open { lines[index].phase = .retiring }
        return removeWaiting()
    }

    // MARK: Moves

    @inlinable
    mutating func requeue(_ sent: Sent) {
        // It has waited its time: only what it waits from now on counts.
        let since = queue.headSince ?? lines.reduce(Duration.zero) { max($0, $1.since) }
        requeued[sent.sequence] = queue.prepend(
            Waiting(sent.statement, sent.sequence, isQuick: sent.isQuick), since: since)
    }

    @inlinable
    mutating func startCancel(_ index: Int) -> MultiplexLine {
        lines[index].cancel = Cancel(target: lines[index].sent[0].sequence)
        return MultiplexLine(index: index, serial: lines[index].serial)
    }

    /// The line takes statements again when the request is settled, has ended what it was for, and can hit nothing else.
    @inlinable
    mutating func endCancel(_ index: Int) {
        if lines[index].sent.isEmpty, lines[index].cancel?.isOver == true { lines[index].cancel = nil }
    }

    @inlinable
    mutating func removeWaiting() -> [Statement] {
        requeued.removeAll()
        return queue.removeAll().map(\.statement)
    }
}
