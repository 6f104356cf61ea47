/// How a value is written on the wire; the raw value is the protocol's format code.
public enum PostgresFormat: Int32, Sendable {
    /// The text that `psql` would show.
    case text = 0
    /// The type's own binary form, integers in network byte order.
    case binary = 1
}
