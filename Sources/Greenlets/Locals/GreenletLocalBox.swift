/// One value of one greenlet.
class GreenletLocalAnyBox {
    let key: GreenletLocalKey
    init(_ key: GreenletLocalKey) { self.key = key }
}

final class GreenletLocalBox<Value>: GreenletLocalAnyBox {
    var value: Value

    init(_ key: GreenletLocalKey, _ value: Value) {
        self.value = value
        super.init(key)
    }
}
