import CLinux
import Glibc

/// What the dynamic linker binds a library's reference to `name` to: for functions that Swift's module map leaves out.
func symbol<Function>(_ name: String, as type: Function.Type) -> Function {
    guard let address = dlsym(nil, name) else { preconditionFailure("no symbol is called \(name)") }
    return unsafeBitCast(address, to: type)  // a C function, of the type that its manual page gives it
}

typealias ClockLock = @convention(c) (OpaquePointer, clockid_t, UnsafePointer<timespec>) -> Int32
typealias TimedJoin =
    @convention(c) (pthread_t, UnsafeMutablePointer<UnsafeMutableRawPointer?>?, UnsafePointer<timespec>) ->
    Int32
typealias ClockJoin =
    @convention(c) (
        pthread_t, UnsafeMutablePointer<UnsafeMutableRawPointer?>?, clockid_t, UnsafePointer<timespec>
    ) -> Int32
typealias VersionedSymbol =
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>, UnsafePointer<CChar>) ->
    UnsafeMutableRawPointer?

extension PosixObject {
    /// Calls one of the functions that wait for this object until `limit` of `clock`.
    func call(_ name: String, _ clock: clockid_t, _ limit: inout timespec) -> Int32 {
        symbol(name, as: ClockLock.self)(OpaquePointer(address), clock, &limit)
    }
}
