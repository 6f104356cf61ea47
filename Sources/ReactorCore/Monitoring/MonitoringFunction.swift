/// A function that a reactor's monitor calls now and then: what `addMonitoringFunction` returns, to change or end it.
///
/// Dropping it changes nothing. Any thread. Follows gevent's `add_monitoring_function`.
public struct MonitoringFunction: Sendable {
    struct Entry {
        let call: @Sendable () -> Void
        var period: Int64
        var due: Int64
    }

    let monitor: ReactorMonitor
    let number: UInt64

    /// Calls it at another interval from now on. Does nothing once it is cancelled.
    ///
    /// - Precondition: `period` is at least a millisecond.
    public func change(every period: Duration) {
        precondition(
            period >= .milliseconds(1), "a monitoring function every \(period): at least a millisecond")
        monitor.update {
            $0.functions[number]?.period = period.wholeNanoseconds
            $0.functions[number]?.due = 0
        }
    }

    /// Calls it no more. A call under way goes on. A second call does nothing.
    public func cancel() { monitor.update { $0.functions[number] = nil } }
}

extension ReactorMonitor {
    /// Calls `function` every `period` on the monitor's thread while the reactor runs, whether the loop is blocked or
    /// not. A process with such a function is never quite idle. Any thread; never waits.
    ///
    /// - Precondition: `period` is at least a millisecond.
    @discardableResult
    public func addMonitoringFunction(
        every period: Duration, _ function: @escaping @Sendable () -> Void
    ) -> MonitoringFunction {
        precondition(
            period >= .milliseconds(1), "a monitoring function every \(period): at least a millisecond")
        var number: UInt64 = 0
        update { state in
            state.lastFunction += 1
            number = state.lastFunction
            state.functions[number] = MonitoringFunction.Entry(
                call: function, period: period.wholeNanoseconds, due: 0)
        }
        return MonitoringFunction(monitor: self, number: number)
    }
}
