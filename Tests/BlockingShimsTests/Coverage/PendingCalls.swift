/// Families whose shims are not in the table yet. An entry goes when its shim comes; in the end the file does.
enum PendingCalls {
    static let names = Set(
        BlockingCalls.families.filter { ["processes", "locks", "stdio", "files"].contains($0.name) }
            .flatMap { BlockingCalls.split($0.functions) }
    ).subtracting(BlockingCalls.exempt)
}
