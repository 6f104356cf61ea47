/// What a hosts(5) file says: the addresses of each name, in the order of its lines. Pure.
struct HostsTable {
    private let addresses: [String: [ResolvedAddress]]

    /// Reads the text of a file. Lines that make no sense are skipped, as by the system's own reader.
    init(_ text: String) {
        var addresses: [String: [ResolvedAddress]] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let fields = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
            guard fields.count > 1, let address = ResolvedAddress(numeric: String(fields[0]), port: 0) else {
                continue
            }
            for field in fields.dropFirst() {
                var name = field.lowercased()
                if name.hasSuffix(".") { name.removeLast() }
                if addresses[name]?.contains(address) != true { addresses[name, default: []].append(address) }
            }
        }
        self.addresses = addresses
    }

    /// The addresses of a canonical name, or none.
    func addresses(of name: String, _ family: AddressFamily) -> [ResolvedAddress] {
        (addresses[name] ?? []).filter { $0.isOf(family) }
    }
}
