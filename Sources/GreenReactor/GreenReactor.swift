// The umbrella: one import for the loop, its green threads and its connections.
@_exported public import Greenlets
@_exported public import ReactorCore
@_exported public import Transports
