/// What a descriptor is ready for.
public struct ReadySet: OptionSet, Hashable, Sendable {
    /// One bit a direction.
    public let rawValue: UInt8
    /// Makes a set from its bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A read would not block: there are bytes, an end of file, an error or a connection to accept.
    public static let readable = ReadySet(rawValue: 1)
    /// A write would not block: there is room, or an error to be told.
    public static let writable = ReadySet(rawValue: 2)
}
