import ReactorCore

/// When a link's body runs.
private enum LinkCondition { case always, success, failure }

extension Greenlet {
    /// Runs `body`, with this greenlet, when it has ended, however it ended: in a greenlet of its own, so `body` may wait.
    /// gevent's `link`. Never waits.
    ///
    /// ```swift
    /// let link = job.onCompletion { job in try Log.append("\(job.name): \(job.result!)", db) }
    /// ```
    /// Links run in the order they were added; added after the end, one runs all the same. What one throws goes to
    /// `reactor.onUncaughtError`, and the others run. One that is cancelled before its body has begun never runs, even when
    /// others have. The body has the task-local values that are bound here. The greenlet's error counts as received.
    @discardableResult
    public func onCompletion(
        _ body: @escaping @ReactorActor (Greenlet) throws -> Void, file: StaticString = #fileID,
        line: UInt = #line
    ) -> ReadinessLink {
        link(.always, synchronous: body, CallSite(file, line))
    }

    /// As the synchronous form, with an `async` body.
    @discardableResult
    public func onCompletion(
        _ body: @escaping @ReactorActor (Greenlet) async throws -> Void, file: StaticString = #fileID,
        line: UInt = #line
    ) -> ReadinessLink {
        link(.always, async: body, CallSite(file, line))
    }

    /// As `onCompletion`, only when the greenlet `isSuccessful` then: with its value, or, as in gevent, killed by
    /// `GreenletExit`; `result` says which. gevent's `link_value`.
    @discardableResult
    public func onSuccess(
        _ body: @escaping @ReactorActor (Greenlet) throws -> Void, file: StaticString = #fileID,
        line: UInt = #line
    ) -> ReadinessLink {
        link(.success, synchronous: body, CallSite(file, line))
    }

    /// As the synchronous form, with an `async` body.
    @discardableResult
    public func onSuccess(
        _ body: @escaping @ReactorActor (Greenlet) async throws -> Void, file: StaticString = #fileID,
        line: UInt = #line
    ) -> ReadinessLink {
        link(.success, async: body, CallSite(file, line))
    }

    /// As `onCompletion`, only when the greenlet ended with an error other than `GreenletExit`. gevent's `link_exception`.
    @discardableResult
    public func onFailure(
        _ body: @escaping @ReactorActor (Greenlet) throws -> Void, file: StaticString = #fileID,
        line: UInt = #line
    ) -> ReadinessLink {
        link(.failure, synchronous: body, CallSite(file, line))
    }

    /// As the synchronous form, with an `async` body.
    @discardableResult
    public func onFailure(
        _ body: @escaping @ReactorActor (Greenlet) async throws -> Void, file: StaticString = #fileID,
        line: UInt = #line
    ) -> ReadinessLink {
        link(.failure, async: body, CallSite(file, line))
    }

    private func link(
        _ condition: LinkCondition, synchronous body: @escaping @ReactorActor (Greenlet) throws -> Void,
        _ site: CallSite
    ) -> ReadinessLink {
        link(condition) { greenlet, link in
            Greenlet<Void>(name: nil, site).run { () throws -> Void in
                if !link.isCancelled { try body(greenlet) }
            }
        }
    }

    private func link(
        _ condition: LinkCondition, async body: @escaping @ReactorActor (Greenlet) async throws -> Void,
        _ site: CallSite
    ) -> ReadinessLink {
        link(condition) { greenlet, link in
            Greenlet<Void>(name: nil, site).run { () async throws -> Void in
                if !link.isCancelled { try await body(greenlet) }
            }
        }
    }

    private func link(
        _ condition: LinkCondition, _ start: @escaping @ReactorActor (Greenlet, ReadinessLink) -> Void
    ) -> ReadinessLink {
        // Always taken, though it may be empty: the greenlet that ends may have values bound, which are none of ours.
        let context = TaskLocalSnapshot()
        let link = ReadinessLink(hearsErrors: condition != .success)
        // Both are alive when it is called: the one ends, or has, and the other is being fired.
        link.set { [unowned self, unowned link] in
            switch condition {
            case .always: break
            case .success: guard isSuccessful else { return }
            case .failure: guard !isSuccessful else { return }
            }
            // The link's greenlet is a child of the one that has ended.
            context.run { AnyGreenlet.$current.withValue(self) { start(self, link) } }
        }
        add(link)
        return link
    }
}
