// swift-tools-version: 6.2
import PackageDescription

// Programs that measure; a package of its own so that nobody who depends on the library builds them.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let reactorCore: Target.Dependency = .product(name: "ReactorCore", package: "GreenReactor")
let greenlets: Target.Dependency = .product(name: "Greenlets", package: "GreenReactor")
let blockingShims: Target.Dependency = .product(name: "BlockingShims", package: "GreenReactor")
let postgres: Target.Dependency = .product(name: "Postgres", package: "GreenReactor")
let localPostgres: Target.Dependency = .product(name: "LocalPostgres", package: "GreenReactor")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "Benchmarks",
    dependencies: [
        .package(name: "GreenReactor", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.5.0"),
    ],
    targets: [
        .target(name: "Measuring", dependencies: [reactorCore, arguments], swiftSettings: house),
        .executableTarget(
            name: "core-bench", dependencies: ["Measuring", reactorCore, greenlets, arguments],
            swiftSettings: house),
        .executableTarget(
            name: "greenlet-bench",
            dependencies: ["Measuring", blockingShims, greenlets, reactorCore, arguments],
            swiftSettings: house),
        .executableTarget(
            name: "shim-bench", dependencies: ["Measuring", blockingShims, arguments], swiftSettings: house),
        .executableTarget(
            name: "postgres-bench",
            dependencies: [
                "Measuring", blockingShims, postgres, localPostgres, greenlets, reactorCore, arguments,
            ],
            swiftSettings: house),
        .executableTarget(
            name: "lookup-load",
            dependencies: [.product(name: "GreenReactor", package: "GreenReactor"), arguments],
            swiftSettings: house),
    ],
    swiftLanguageModes: [.v6]
)
