import CLinux
import Glibc

extension RingPoller {
    /// What a wait came to, for `handle`.
    struct WaitOutcome {
        /// Whether it did not wait, or had a reason to end.
        let isMeaningful: Bool
    }

    /// As `EpollPoller.wait`.
    @ReactorActor func wait(timeoutNanoseconds: Int64) -> WaitOutcome {
        writeChanges()
        let isIdle = backlog.isEmpty && clinux_ring_has_completions(ring) == 0
        let result = clinux_ring_enter(ring, isIdle && timeoutNanoseconds != 0 ? 1 : 0, timeoutNanoseconds)
        precondition(result >= 0 || Self.isPassing(result), "io_uring_enter failed: \(errnoText(-result))")
        return WaitOutcome(isMeaningful: result == -ETIME || timeoutNanoseconds == 0)
    }

    /// As `EpollPoller.handle`; `fail` hears of descriptors that cannot be waited for, with the generation and −errno.
    @ReactorActor func handle(
        _ outcome: WaitOutcome, resume: @ReactorActor (clinux_event) -> Bool,
        call: @ReactorActor (clinux_event) -> Void, fail: @ReactorActor (Int32, UInt32, Int32) -> Void
    ) {
        var callCount = 0
        var isMeaningful = outcome.isMeaningful
        var completion = clinux_completion()
        let events = batch.events
        for _ in 0..<EventBatch.capacity where takeCompletion(&completion) {
            let fd = Int32(truncatingIfNeeded: completion.user_data)
            let token = UInt32(completion.user_data >> 32)
            guard fd >= 0 else {
                guard token == wakeToken else { continue }
                isMeaningful = true
                if completion.goes_on == 0 { pollWakeup() }
                continue
            }
            guard slots[Int(fd)].token == token else { continue }
            let generation = slots[Int(fd)].generation
            switch self.outcome(of: completion, fd) {
            case .nothing: continue
            case .failed(let code):
                isMeaningful = true
                fail(fd, generation, code)
            case .ready(let ready):
                isMeaningful = true
                let event = clinux_event(events: ready, generation: generation, fd: fd)
                if resume(event) {
                    events[callCount] = event
                    callCount += 1
                }
            }
        }
        if !isMeaningful { wasInterrupted = true }
        batch.call(callCount, call)
    }

    private func takeCompletion(_ completion: inout clinux_completion) -> Bool {
        guard backlog.isEmpty else {
            completion = backlog.removeFirst()
            return true
        }
        return clinux_ring_next(ring, &completion) != 0
    }

    private enum Outcome {
        case nothing
        case ready(UInt32)
        case failed(Int32)
    }

    /// What the completion of a descriptor's poll means; has the next poll submitted where there is to be one.
    private func outcome(of completion: clinux_completion, _ fd: Int32) -> Outcome {
        let index = Int(fd)
        let goesOn = completion.goes_on != 0
        if !goesOn { slots[index].token = 0 }
        guard completion.result >= 0 else {
            if completion.result == -ECANCELED {  // not by us: the thread that submitted it has ended
                list(fd)
                return .nothing
            }
            slots[index].wanted = 0
            slots[index].isDue = false
            return .failed(completion.result)
        }
        let ready = UInt32(completion.result)
        let asked = slots[index].wanted | EPOLLERR.rawValue | EPOLLHUP.rawValue
        guard ready & asked != 0 else {
            if !goesOn {
                slots[index].repeats = true
                list(fd)
            }
            return .nothing
        }
        if goesOn { endPoll(fd) }
        slots[index].repeats = false
        if slots[index].isLevel { list(fd) }
        return .ready(ready)
    }
}
