import CFibers
package import ReactorCore

extension GreenletRegistry: TaskRegistry {
    /// Every greenlet that has not ended, as the reactor's reports show it.
    package func identities(withStacks: Bool) -> [TaskIdentity] {
        greenlets.map { greenlet in
            let fiber = greenlet.fiber
            let task = greenlet.taskAddress
            return TaskIdentity(
                id: greenlet.id, name: greenlet.name, parentID: greenlet.parentID,
                spawnSite: greenlet.site, isSynchronous: greenlet.driver != nil,
                isStarted: greenlet.isStarted, task: task, waitingTask: fiber?.requestTaskAddress ?? task,
                parkCount: fiber?.parkCount, stack: withStacks ? fiber?.stackUse : nil)
        }
    }
}

extension AnyGreenlet {
    /// Writes on a stack whose it is, for the message when it is used up.
    func label(_ stack: UnsafeMutablePointer<cf_fiber>) {
        let (file, line) = site.words
        let text = UnsafeRawPointer(file)?.assumingMemoryBound(to: CChar.self)  // bytes are bytes
        if let givenName {
            cf_fiber_label(stack, UInt64(id), text, line, givenName)
        } else {
            cf_fiber_label(stack, UInt64(id), text, line, nil)
        }
    }
}

extension Fiber {
    /// How much of the stack was ever touched, in whole pages. Costs a system call now, and nothing before.
    var stackUse: StackUse? {
        guard let stack else { return nil }
        return StackUse(highWater: cf_fiber_stack_high_water(stack), size: cf_fiber_stack_size(stack))
    }
}
