import ReactorCore

/// Where a greenlet was spawned, and its name if it was given one: kept apart, for most have none.
enum GreenletOrigin: Sendable {
    case site(CallSite)
    case named(NamedSite)

    final class NamedSite: Sendable {
        let name: String
        let site: CallSite

        init(_ name: String, _ site: CallSite) {
            self.name = name
            self.site = site
        }
    }

    init(_ name: String?, _ site: CallSite) {
        self = name.map { .named(NamedSite($0, site)) } ?? .site(site)
    }

    var site: CallSite {
        switch self {
        case .site(let site): site
        case .named(let origin): origin.site
        }
    }

    var name: String? {
        guard case .named(let origin) = self else { return nil }
        return origin.name
    }
}
