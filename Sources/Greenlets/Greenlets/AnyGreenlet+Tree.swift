import ReactorCore

extension AnyGreenlet {
    /// The greenlet that spawned this one, while it lives; nil for none, and where trees are not tracked.
    ///
    /// - Complexity: O(n) of the greenlets alive: no greenlet keeps another alive.
    public final var parent: AnyGreenlet? {
        guard let parentID else { return nil }
        return registry.greenlets.first { $0.id == parentID }
    }

    /// Values that the greenlet shares with the one that spawned it, with all that it spawns, and so on: a request's ID,
    /// say. gevent's `spawn_tree_locals`.
    ///
    /// ```swift
    /// AnyGreenlet.current?.treeLocals["request"] = request.id
    /// ```
    /// What one of them sets, all see. A greenlet that no greenlet has spawned begins a tree of its own. Where trees are not
    /// tracked every greenlet does. For values that flow downward only, use `TaskLocal`.
    /// - Complexity: O(n) of the greenlets alive when the tree's values are used for the first time.
    public final var treeLocals: [String: any Sendable] {
        get { tree.values }
        _modify { yield &tree.values }
    }

    private var tree: TreeLocals {
        joinTree()
        if let tree = extras?.tree { return tree }
        let tree = TreeLocals()
        registry.hasTreeLocals = true
        take(tree)
        // From now on they hand it on to whom they spawn.
        for member in registry.greenlets where member.treeID == treeID { member.take(tree) }
        return tree
    }

    private func take(_ tree: TreeLocals) {
        madeExtras.tree = tree
    }

    /// Takes over the values of its tree, if any of its live members has them: they may have been made while this greenlet
    /// was not among those alive.
    final func joinTree() {
        guard registry.hasTreeLocals, extras?.tree == nil else { return }
        for member in registry.greenlets where member.treeID == treeID {
            if let tree = member.extras?.tree { return take(tree) }
        }
    }
}

extension Greenlet where Value == Never {
    /// Whether greenlets of the current reactor, from now on, know who spawned them; true unless the environment's
    /// `REACTOR_TRACK_GREENLET_TREE` is `0`. Without, a spawn is a few nanoseconds cheaper. gevent's
    /// `track_greenlet_tree`.
    @ReactorActor public static var tracksTree: Bool {
        get { GreenletRegistry.of(.current).tracksTree }
        set { GreenletRegistry.of(.current).tracksTree = newValue }
    }
}
