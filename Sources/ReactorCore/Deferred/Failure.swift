/// An error and the way it came: Twisted's Failure.
///
/// Errbacks receive the bare error; those added with `addFailureErrback` receive this. Thrown from a callback,
/// or given to `errback`, it stands for its error, and its way is kept.
public struct Failure: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public let error: any Error
    let sites: [CallSite]

    /// Where the error was raised first: the place of the `errback`, or where the callback that threw was added; then
    /// the callbacks of other Deferreds it went through by being returned, and errbacks that threw in their turn.
    public var trail: [String] { sites.map(\.description) }

    /// Wraps an error, raised here.
    public init(_ error: any Error, file: StaticString = #fileID, line: UInt = #line) {
        self.init(error, trail: [CallSite(file, line)])
    }

    init(_ error: any Error, trail: [CallSite]) {
        let failure = error as? Failure
        self.error = failure?.error ?? error
        sites = trail.reduce(failure?.sites ?? []) { $0.followed(by: $1) }
    }

    /// The error, if it is a `Kind`. Twisted's `check`.
    public func check<Kind: Error>(_: Kind.Type) -> Kind? { error as? Kind }

    /// The error, which is a `Kind`; any other goes on. Twisted's `trap`.
    ///
    /// - Throws: this failure when its error is no `Kind`.
    public func trap<Kind: Error>(_: Kind.Type) throws(Failure) -> Kind {
        guard let error = error as? Kind else { throw self }
        return error
    }

    /// The error, and where it was raised.
    public var description: String {
        sites.isEmpty ? "\(error)" : "\(error) (raised at \(trail.joined(separator: ", passed on at ")))"
    }
}

extension [CallSite] {
    /// The way of an error, one place longer. Of a long way the middle is forgotten: an error may pass a hundred thousand
    /// callbacks, and where it began and where it is now are what helps.
    func followed(by site: CallSite) -> [CallSite] {
        var sites = self
        if sites.count >= 32 { sites.remove(at: 16) }
        sites.append(site)
        return sites
    }
}
