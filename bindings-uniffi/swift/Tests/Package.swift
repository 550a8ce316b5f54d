// swift-tools-version: 5.9
import PackageDescription

// Tests of the package, as a program: `make test-swift` runs it. The files that end with
// _plugin.swift are written by `undergo bindgen` before they are compiled.
let package = Package(
    name: "Tests",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: "..")],
    targets: [
        // The types of a plugin have no namespace but that of their target.
        .target(name: "Items", dependencies: [.product(name: "Undergo", package: "swift")]),
        .executableTarget(name: "Tests", dependencies: ["Items", .product(name: "Undergo", package: "swift")]),
    ]
)
