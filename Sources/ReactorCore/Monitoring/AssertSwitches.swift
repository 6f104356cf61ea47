import CLinux
import DequeModule

/// Runs `body`, which must give way to other tasks: at least once, or, with `limit`, again and again, so that no
/// stretch without a switch is longer than that. gevent's `assert_switches`. Reactor only.
///
/// ```swift
/// try await assertSwitches(within: .milliseconds(50)) { try await importFilms() }
/// ```
/// Calls may nest; each looks at the calling task alone. For tests and for code that has to be a good neighbour:
/// while one is under way the loop takes the time of each step of every task.
/// - Throws: what `body` throws, whatever it did before; else `ReactorError` with code `didNotSwitch`, which names
///   the place
///   of this call and the longest stretch.
@ReactorActor public func assertSwitches<Value>(
    within limit: Duration? = nil, _ body: @ReactorActor () async throws -> Value,
    file: StaticString = #fileID, line: UInt = #line
) async throws -> Value {
    let reactor = Reactor.current
    let watch = reactor.beginSwitchWatch()
    let result: Value
    do { result = try await body() } catch {
        reactor.endSwitchWatch(watch)
        throw error
    }
    reactor.endSwitchWatch(watch)
    try watch.check(limit, CallSite(file, line))
    return result
}

/// As the `async` form, for synchronous code in a greenlet. Code that no greenlet runs cannot give way, so it fails.
@ReactorActor public func assertSwitches<Value>(
    within limit: Duration? = nil, _ body: @ReactorActor () throws -> Value,
    file: StaticString = #fileID, line: UInt = #line
) throws -> Value {
    let reactor = Reactor.current
    let watch = reactor.beginSwitchWatch()
    let result: Value
    do { result = try body() } catch {
        reactor.endSwitchWatch(watch)
        throw error
    }
    reactor.endSwitchWatch(watch)
    try watch.check(limit, CallSite(file, line))
    return result
}

extension Reactor {
    @ReactorActor fileprivate func beginSwitchWatch() -> SwitchWatch {
        let watch = SwitchWatch(task: UInt(bitPattern: clinux_current_task()))
        switchWatches.append(watch)
        // The loop may not be watching its jobs yet: the next thing it comes to says that this one has given way.
        if !observation.contains(.switches) { ready.prepend(.probe(watch)) }
        observation.insert(.switches)
        return watch
    }

    @ReactorActor fileprivate func endSwitchWatch(_ watch: SwitchWatch) {
        watch.end(at: clinux_monotonic_ns())
        switchWatches.removeAll { $0 === watch }
        if switchWatches.isEmpty { observation.remove(.switches) }
    }
}

extension SwitchWatch {
    fileprivate func check(_ limit: Duration?, _ site: CallSite) throws(ReactorError) {
        let longest = Duration.nanoseconds(longestStretch)
        if let limit {
            guard longest > limit else { return }
            throw ReactorError(
                .didNotSwitch,
                """
                assertSwitches at \(site): the code ran for \(longest.humanReadable) without giving way, which is more \
                than \(limit.humanReadable)
                """)
        } else if !hasSwitched {
            throw ReactorError(
                .didNotSwitch,
                """
                assertSwitches at \(site): the code ran for \(longest.humanReadable) and never gave way to other tasks; \
                let it wait for something, or yield
                """)
        }
    }
}
