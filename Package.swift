// swift-tools-version: 6.2
import PackageDescription

// Imports run downward only; see the picture in README.md. `Scripts/check` builds with
// `--explicit-target-dependency-import-check error`, so an import not named here does not compile.

/// Every Swift target is in Swift 6 mode and treats warnings as errors.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let collections = "swift-collections"
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let bytes: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let deque: Target.Dependency = .product(name: "DequeModule", package: collections)
let heap: Target.Dependency = .product(name: "HeapModule", package: collections)
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "GreenReactor",
    products: [
        .library(name: "GreenReactor", targets: ["GreenReactor"]),
        .library(name: "ReactorCore", targets: ["ReactorCore"]),
        .library(name: "Greenlets", targets: ["Greenlets"]),
        .library(name: "BlockingShims", targets: ["BlockingShims"]),
        .library(name: "reactor-preload", type: .dynamic, targets: ["ReactorPreload"]),
        .executable(name: "reactor-run", targets: ["reactor-run"]),
        .library(name: "Transports", targets: ["Transports"]),
        .library(name: "TransportTLS", targets: ["TransportTLS"]),
        .library(name: "Postgres", targets: ["Postgres"]),
        .library(name: "Models", targets: ["Models"]),
        .library(name: "Migrations", targets: ["Migrations"]),
        .library(name: "ReactorMetrics", targets: ["ReactorMetrics"]),
        .library(name: "PostgresMetrics", targets: ["PostgresMetrics"]),
        .library(name: "ReactorTesting", targets: ["ReactorTesting"]),
        .library(name: "LocalPostgres", targets: ["LocalPostgres"]),
        .executable(name: "service", targets: ["service"]),
        .executable(name: "migrate", targets: ["migrate"]),
        .executable(name: "scenarios", targets: ["scenarios"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.2.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.86.0"),
    ],
    targets: [
        // C: headers, stack switch, interposition, system libraries.
        .target(name: "CLinux"),
        .target(name: "CFibers"),
        .target(name: "CBlockingShims", dependencies: ["CFibers", "CLinux"]),
        .target(name: "CReactorPreload"),
        .target(name: "CPosixSpawn"),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),

        // The loop and what runs on it.
        .target(
            name: "ReactorCore",
            dependencies: [
                "CLinux", deque, logging,
            ],
            swiftSettings: house),
        .target(name: "ReactorMetrics", dependencies: ["ReactorCore", metrics], swiftSettings: house),
        .target(
            name: "Greenlets", dependencies: ["ReactorCore", "CFibers", "CLinux", deque, heap],
            swiftSettings: house
        ),
        .target(
            name: "BlockingShims", dependencies: ["CBlockingShims", "CFibers", "Greenlets", "ReactorCore"],
            swiftSettings: house),

        // Unmodified programs in a greenlet: a library to preload, and the program that does so.
        .target(
            name: "ReactorPreload",
            dependencies: ["BlockingShims", "CReactorPreload", "Greenlets", "ReactorCore"],
            swiftSettings: house),
        .executableTarget(name: "reactor-run", swiftSettings: house),

        // Bytes in, bytes out.
        .target(name: "Framing", dependencies: [bytes], swiftSettings: house),
        .target(
            name: "Transports",
            dependencies: ["ReactorCore", "Greenlets", "Framing", "CLinux", bytes, deque, logging],
            swiftSettings: house),
        .target(
            name: "TransportTLS",
            dependencies: ["Transports", "ReactorCore", "Greenlets", "COpenSSL", bytes, logging],
            swiftSettings: house),

        // PostgreSQL. The pool's decisions and the value codecs are pure: no I/O, no clock, no lock.
        .target(name: "ConnectionPools", swiftSettings: house),
        .target(name: "PostgresValues", swiftSettings: house),
        .target(
            name: "Postgres",
            dependencies: [
                "CLibPQ", "CLinux", "COpenSSL", "ConnectionPools", "PostgresValues", "Greenlets",
                "ReactorCore", deque, logging, bytes,
            ],
            swiftSettings: house),
        .target(
            name: "PostgresMetrics", dependencies: ["Postgres", "ReactorCore", metrics],
            swiftSettings: house),
        .target(
            name: "Models", dependencies: ["Postgres", "PostgresValues", "Greenlets", "ReactorCore"],
            swiftSettings: house),
        .target(
            name: "Migrations", dependencies: ["Postgres", "PostgresValues", "ReactorCore", "Greenlets"],
            swiftSettings: house),

        // Umbrella, test helpers, a private database.
        .target(
            name: "GreenReactor", dependencies: ["ReactorCore", "Greenlets", "Transports"],
            swiftSettings: house),
        .target(
            name: "ReactorTesting",
            dependencies: ["ReactorCore", "Greenlets", "Transports", "CLinux", bytes],
            swiftSettings: house),
        .target(name: "LocalPostgres", dependencies: ["CPosixSpawn"], swiftSettings: house),

        // Programs.
        .target(
            name: "LookupService",
            dependencies: [
                "GreenReactor", "ReactorCore", "Greenlets", "Transports", "Postgres", "Models",
                bytes, deque, logging,
            ],
            swiftSettings: house),
        .executableTarget(
            name: "service",
            dependencies: [
                "LookupService", "BlockingShims", "LocalPostgres", "ReactorCore", "Greenlets", "Transports",
                "Postgres", "Migrations", arguments, bytes, logging,
            ],
            swiftSettings: house),
        .executableTarget(
            name: "migrate",
            dependencies: [
                "Migrations", "LocalPostgres", "Postgres", "ReactorCore", "Greenlets", arguments, logging,
            ],
            swiftSettings: house),

        .executableTarget(
            name: "scenarios", dependencies: ["ReactorCore", "Greenlets", "BlockingShims", arguments],
            swiftSettings: house),

        // Tests: one suite per source file.
        .target(
            name: "TestMetrics", dependencies: [metrics], path: "Tests/TestMetrics", swiftSettings: house),
        .target(
            name: "TestCertificates", dependencies: ["COpenSSL"], path: "Tests/TestCertificates",
            swiftSettings: house),
        .target(name: "TestForks", path: "Tests/TestForks", swiftSettings: house),
        .target(
            name: "TestNetworks", dependencies: ["ReactorCore", "ReactorTesting"], path: "Tests/TestNetworks",
            swiftSettings: house),
        .testTarget(
            name: "ReactorCoreTests", dependencies: ["ReactorCore", "ReactorTesting", "CLinux"],
            swiftSettings: house),
        .testTarget(
            name: "GreenletsTests",
            dependencies: ["Greenlets", "ReactorCore", "ReactorTesting", "CFibers", "CLinux"],
            swiftSettings: house),
        .testTarget(
            name: "ReactorMetricsTests",
            dependencies: [
                "ReactorMetrics", "Greenlets", "ReactorCore", "ReactorTesting", "TestMetrics", metrics,
            ],
            swiftSettings: house),
        .testTarget(
            name: "PostgresMetricsTests",
            dependencies: [
                "PostgresMetrics", "Postgres", "LocalPostgres", "ReactorCore", "ReactorTesting",
                "TestMetrics",
            ],
            swiftSettings: house),
        .target(name: "CForeignCode", path: "Tests/CForeignCode"),
        .testTarget(
            name: "BlockingShimsTests",
            dependencies: [
                "BlockingShims", "CBlockingShims", "CForeignCode", "CFibers", "Greenlets", "ReactorCore",
                "ReactorTesting",
                "LocalPostgres", "CLibPQ", "CLinux", "reactor-run", "TestForks",
            ],
            swiftSettings: house),
        .testTarget(
            name: "ReactorTestingTests", dependencies: ["ReactorTesting", "ReactorCore", "Greenlets"],
            swiftSettings: house),
        .testTarget(name: "FramingTests", dependencies: ["Framing", bytes], swiftSettings: house),
        .testTarget(
            name: "TransportsTests",
            dependencies: [
                "Transports", "Framing", "ReactorCore", "Greenlets", "ReactorTesting", "TestNetworks",
                "CLinux",
                bytes,
            ],
            swiftSettings: house),
        .testTarget(
            name: "TransportTLSTests",
            dependencies: [
                "TransportTLS", "Transports", "ReactorCore", "Greenlets", "ReactorTesting",
                "TestCertificates", "TestNetworks",
                "COpenSSL", bytes,
            ],
            swiftSettings: house),
        .testTarget(name: "ConnectionPoolsTests", dependencies: ["ConnectionPools"], swiftSettings: house),
        .testTarget(
            name: "PostgresValuesTests", dependencies: ["PostgresValues", bytes], swiftSettings: house),
        .testTarget(
            name: "PostgresTests",
            dependencies: [
                "Postgres", "PostgresValues", "ConnectionPools", "Greenlets", "ReactorCore", "ReactorTesting",
                "LocalPostgres", "TestCertificates", "TestForks", logging,
            ],
            swiftSettings: house),
        .testTarget(
            name: "ModelsTests",
            dependencies: [
                "Models", "Postgres", "PostgresValues", "Greenlets", "ReactorCore", "ReactorTesting",
                "LocalPostgres",
            ],
            swiftSettings: house),
        .testTarget(
            name: "MigrationsTests",
            dependencies: [
                "Migrations", "Postgres", "PostgresValues", "Greenlets", "ReactorCore", "ReactorTesting",
                "LocalPostgres",
            ],
            swiftSettings: house),
        .testTarget(name: "LocalPostgresTests", dependencies: ["LocalPostgres"], swiftSettings: house),
        .testTarget(
            name: "ServiceTests",
            dependencies: [
                "service", "LookupService", "BlockingShims", "GreenReactor", "Transports", "Postgres",
                "Models",
                "Migrations", "LocalPostgres", "Greenlets", "ReactorCore", "ReactorTesting", bytes,
            ],
            swiftSettings: house),
        .testTarget(
            name: "ScenariosTests", dependencies: ["scenarios", "ReactorCore", "ReactorTesting", arguments],
            swiftSettings: house),
    ],
    swiftLanguageModes: [.v6]
)
