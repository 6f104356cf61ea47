// swift-tools-version: 6.2
import PackageDescription

// Programs that measure; a package of its own so that nobody who depends on the library builds them.
let package = Package(
    name: "Benchmarks",
    dependencies: [
        .package(name: "GreenReactor", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.5.0"),
    ],
    targets: [
        .executableTarget(
            name: "lookup-load",
            dependencies: [
                .product(name: "GreenReactor", package: "GreenReactor"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .treatAllWarnings(as: .error),
            ])
    ],
    swiftLanguageModes: [.v6]
)
