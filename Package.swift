// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Warnings are errors in CI only: a user's newer compiler may know more of them.
let warningsAsErrors = ProcessInfo.processInfo.environment["CAIRN_WARNINGS_AS_ERRORS"] != nil

let strict: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
  ] + (warningsAsErrors ? [.treatAllWarnings(as: .error)] : [])

/// Half of a start went into placing a hundred thousand pointers anew, and into symbols that nobody looks up.
let quickStart: [LinkerSetting] = [
  .unsafeFlags(
    ["-Xclang-linker", "-no-pie", "-Xlinker", "--no-export-dynamic"],
    .when(platforms: [.linux], configuration: .release))
]

let collections = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// A library of ours and the tests beside it.
func layer(_ name: String, _ uses: [Target.Dependency] = []) -> [Target] {
  [
    .target(name: name, dependencies: uses, swiftSettings: strict),
    .testTarget(
      name: "\(name)Tests", dependencies: [.byName(name: name), "CairnTestSupport"] + uses,
      swiftSettings: strict),
  ]
}

let package = Package(
  name: "cairn",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "cairn", targets: ["cairn"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
  ],
  targets: [
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .target(name: "CSystem"),
    .target(name: "CHTTP"),
    .executableTarget(
      name: "cairn",
      dependencies: [
        "CairnCore", "CairnFormats", "CairnSystem", "CairnStore", "CairnLineage", "CairnEngine", "CairnServices",
        "CairnVerify", "CairnUI", arguments,
      ],
      swiftSettings: strict, linkerSettings: quickStart),
    .target(name: "CairnTestSupport", path: "Tests/CairnTestSupport", swiftSettings: strict),
    .testTarget(name: "EndToEndTests", dependencies: ["CairnTestSupport"], swiftSettings: strict),
    .testTarget(name: "FaultTests", dependencies: ["CairnTestSupport", "CairnEngine"], swiftSettings: strict),
  ]
    + layer("CairnCore", [collections, heap])
    + layer("CairnFormats", ["CairnCore", "CYAML", collections])
    + layer("CairnSystem", ["CairnCore", "CSystem"])
    + layer("CairnStore", ["CairnCore", "CairnFormats", "CairnSystem", grdb, crypto, collections])
    + layer("CairnLineage", ["CairnCore", "CairnFormats", "CairnSystem", grdb, crypto, collections])
    + layer(
      "CairnEngine",
      ["CairnCore", "CairnFormats", "CairnSystem", "CairnStore", "CairnLineage", collections])
    + layer(
      "CairnServices",
      [
        "CairnCore", "CairnFormats", "CairnSystem", "CairnStore", "CairnLineage", "CairnEngine", "CHTTP", crypto, collections,
      ])
    + layer(
      "CairnVerify",
      ["CairnCore", "CairnFormats", "CairnSystem", "CairnStore", "CairnLineage", "CairnEngine", collections])
    + layer("CairnUI", ["CairnCore", "CairnFormats", "CairnSystem", "CairnLineage"])
)
