/// What has to hear that a greenlet has ended, without waiting for its outcome: groups, and values local to it.
///
/// Not a list: hardly any greenlet is in a second group.
struct GreenletAttachments {
    private var group: GreenletGroup?
    private var otherGroups: [GreenletGroup] = []
    /// The greenlet's own values of `GreenletLocal`.
    var locals: GreenletLocalValues?

    mutating func add(_ group: GreenletGroup) {
        if self.group == nil { self.group = group } else { otherGroups.append(group) }
    }

    mutating func remove(_ group: GreenletGroup) {
        if self.group === group {
            self.group = otherGroups.popLast()
        } else {
            otherGroups.removeAll { $0 === group }
        }
    }

    var groups: [GreenletGroup] { group.map { [$0] + otherGroups } ?? [] }

    var isEmpty: Bool { group == nil && locals == nil }
}

extension AnyGreenlet {
    /// Groups it is in and values it has.
    var attachments: GreenletAttachments {
        get { extras?.attachments ?? GreenletAttachments() }
        _modify { yield &madeExtras.attachments }
    }

    /// Called as the greenlet ends.
    func detach() {
        let attachments = attachments
        self.attachments = GreenletAttachments()
        for group in attachments.groups { group.remove(self) }
        attachments.locals?.end()
    }
}
