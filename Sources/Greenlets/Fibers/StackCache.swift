import CFibers
import Glibc
import ReactorCore

/// Stacks of finished fibers, kept for the next ones: a fresh mapping costs microseconds and page faults, a
/// cached one neither.
///
/// Those of drivers that rest are kept by them. Of both kinds the first `warmLimit` keep their memory, whatever greenlets
/// have touched of it; the others give back all but two pages.
@ReactorActor
final class StackCache {
    /// Unsafe for `deinit` alone, which runs when nobody else has a reference.
    private nonisolated(unsafe) var stacks: [UnsafeMutablePointer<cf_fiber>] = []
    private static let limit = 256
    static let warmLimit = 128

    /// Stacks kept now.
    var count: Int { stacks.count }

    /// How many of them have more memory than they are given back with; for tests.
    var warmCount: Int { stacks.count { cf_fiber_stack_high_water($0) > 16 * 1024 } }

    /// The cache of a reactor.
    static func of(_ reactor: Reactor) -> StackCache { GreenletRegistry.of(reactor).stacks }

    deinit {
        for stack in stacks { cf_fiber_unmap(stack) }
    }

    /// A stack: the one used last, whose pages are warm, or a new one.
    func take() throws(GreenletError) -> UnsafeMutablePointer<cf_fiber> {
        if let stack = stacks.popLast() { return stack }
        guard let stack = cf_fiber_map(Fiber.stackSize) else {
            let code = errno
            throw GreenletError(
                .outOfStacks,
                """
                no memory for another greenlet stack of \(Fiber.stackSize) bytes: \(errnoText(code)); see the limits \
                vm.max_map_count and ulimit -v, or run fewer synchronous greenlets at once
                """)
        }
        return stack
    }

    /// Takes back the stack of a finished fiber.
    func give(_ stack: UnsafeMutablePointer<cf_fiber>) {
        guard stacks.count < Self.limit else { return cf_fiber_unmap(stack) }
        if stacks.count >= Self.warmLimit { cf_fiber_trim(stack) }
        stacks.append(stack)
    }
}
