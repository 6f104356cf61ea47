/// A hosts(5) file on disk, read again when it has changed.
///
/// Reactor only, and read there; see `ChangingFile`. A list of hundreds of kilobytes (advertisers, say) is left to the system's
/// resolver, which reads it on a worker thread.
@ReactorActor
final class HostsFile {
    private var file: ChangingFile
    private var table = HostsTable("")

    nonisolated init(path: String, maximumSize: Int = 64 * 1024) {
        file = ChangingFile(path: path, maximumSize: maximumSize)
    }

    /// The addresses of a canonical name as the file has it now; none when there is no readable file.
    func addresses(of name: String, _ family: AddressFamily) -> [ResolvedAddress] {
        if let text = file.changedText() { table = HostsTable(text) }
        return table.addresses(of: name, family)
    }
}
