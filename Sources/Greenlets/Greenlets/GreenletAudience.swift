import ReactorCore

/// Who is to be told of a greenlet's end: mostly nobody, or who joins it.
///
/// The extras come first: pointers of the first case are stored as they are, those of others with a mark, by which tools that
/// look for leaks do not know them. A latch is known elsewhere; the extras are not.
enum GreenletAudience {
    /// What few greenlets have, others who are to be told among it.
    case extras(GreenletExtras)
    case joiner(Latch)
    case nobody
}

extension AnyGreenlet {
    /// What few greenlets have; nil for the others.
    final var extras: GreenletExtras? {
        guard case .extras(let extras) = audience else { return nil }
        return extras
    }

    /// What few greenlets have, made on first use.
    final var madeExtras: GreenletExtras {
        if let extras { return extras }
        let extras = GreenletExtras()
        if case .joiner(let latch) = audience { extras.add(joiner: latch) }
        audience = .extras(extras)
        return extras
    }

    /// Opens the latch as the greenlet ends.
    final func add(joiner latch: Latch) {
        if case .nobody = audience { audience = .joiner(latch) } else { madeExtras.add(joiner: latch) }
    }

    /// Tells everybody of the end. Whether anybody hears errors.
    final func tellOfEnd() -> Bool {
        switch audience {
        case .nobody: return false
        case .joiner(let latch):
            audience = .nobody
            return latch.open()
        case .extras(let extras):
            if !extras.attachments.isEmpty { detach() }
            return extras.tellOfEnd()
        }
    }
}
