/// The order in which the outcomes of a pool's greenlets are read.
enum ResultOrder {
    /// That of the inputs.
    case ofInput
    /// As they come.
    case ofEnd
    /// That of the inputs, but an error comes at once.
    case ofInputUntilError
}
