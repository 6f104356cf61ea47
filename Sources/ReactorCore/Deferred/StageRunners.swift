/// What each kind of callback does with a chain's outcome. None captures anything.
@usableFromInline enum StageRunners {
    /// `addCallback`.
    @inlinable static func callback<Input, Output>(_: Input.Type, _: Output.Type) -> DeferredStage.Runner {
        { address, chain in
            let body = StageBody<Input, Output>.take(address)
            guard chain.content == .value else { return nil }  // errors pass by
            do { chain.put(try body.call(chain.take(Input.self))) } catch { chain.fail(error) }
            return nil
        }
    }

    /// `addCallback` with a closure that returns a Deferred.
    @inlinable static func chainingCallback<Input, Output>(
        _: Input.Type, _: Output.Type
    ) -> DeferredStage.Runner {
        { address, chain in
            let body = StageBody<Input, Deferred<Output>>.take(address)
            guard chain.content == .value else { return nil }
            do { chain.wait(for: try body.call(chain.take(Input.self)).chain, Output.self) } catch {
                chain.fail(error)
            }
            return nil
        }
    }

    /// `addErrback`.
    @inlinable static func errback<Value>(_: Value.Type) -> DeferredStage.Runner {
        { address, chain in
            let body = StageBody<any Error, Value>.take(address)
            guard chain.content == .failure else { return nil }  // values pass by
            do { chain.put(try body.call(chain.takeFailure())) } catch { chain.failAgain(error) }
            return nil
        }
    }

    /// `addFailureErrback`.
    static func failureErrback<Value>(_: Value.Type) -> DeferredStage.Runner {
        { address, chain in
            let body = StageBody<Failure, Value>.take(address)
            guard chain.content == .failure else { return nil }  // values pass by
            let failure = Failure(chain.takeFailure(), trail: chain.failureTrail)
            do { chain.put(try body.call(failure)) } catch { chain.failAgain(error) }
            return nil
        }
    }

    /// `addErrback` with a closure that returns a Deferred.
    @inlinable static func chainingErrback<Value>(_: Value.Type) -> DeferredStage.Runner {
        { address, chain in
            let body = StageBody<any Error, Deferred<Value>>.take(address)
            guard chain.content == .failure else { return nil }
            do { chain.wait(for: try body.call(chain.takeFailure()).chain, Value.self) } catch {
                chain.failAgain(error)
            }
            return nil
        }
    }

    /// `addBoth`.
    @inlinable static func both<Input, Output>(_: Input.Type, _: Output.Type) -> DeferredStage.Runner {
        { address, chain in
            let body = StageBody<Result<Input, any Error>, Output>.take(address)
            let wasFailure = chain.content == .failure
            do { chain.put(try body.call(chain.takeResult(Input.self))) } catch {
                if wasFailure { chain.failAgain(error) } else { chain.fail(error) }
            }
            return nil
        }
    }

    /// `addBoth` with a closure that returns a Deferred.
    @inlinable static func chainingBoth<Input, Output>(
        _: Input.Type, _: Output.Type
    ) -> DeferredStage.Runner {
        { address, chain in
            let body = StageBody<Result<Input, any Error>, Deferred<Output>>.take(address)
            let wasFailure = chain.content == .failure
            do { chain.wait(for: try body.call(chain.takeResult(Input.self)).chain, Output.self) } catch {
                if wasFailure { chain.failAgain(error) } else { chain.fail(error) }
            }
            return nil
        }
    }

    /// Looks at the outcome and leaves it. A failure stays unhandled.
    static func glance<Value>(_: Value.Type) -> DeferredStage.Runner {
        { address, chain in
            let body = StageBody<Result<Value, any Error>, Void>.take(address)
            // Observers have nothing to throw.
            if let result = chain.peek(Value.self) { try? body.call(result) }
            return nil
        }
    }

    /// Looks at the outcome and leaves it, but a failure counts as handled: `value`, which several tasks may await.
    static func peek<Value>(_: Value.Type) -> DeferredStage.Runner {
        { address, chain in
            let body = StageBody<Result<Value, any Error>, Void>.take(address)
            chain.isFailureSeen = true
            if let result = chain.peek(Value.self) { try? body.call(result) }
            return nil
        }
    }

    /// Hands the outcome to the chain that the body names, whose callback returned this one, and keeps nothing.
    @usableFromInline static func handOver<Value>(_: Value.Type) -> DeferredStage.Runner {
        { address, chain in
            let body = StageBody<Void, DeferredChain?>.take(address)
            guard let outer = try? body.call(()) else { return nil }  // it throws nothing
            outer.takeOver(from: chain, Value.self)
            return outer
        }
    }
}
