// swift-tools-version: 5.9
import PackageDescription

// The folder Sources/UndergoCore, and Sources/UndergoCoreFFI with its header, are written by
// UniFFI: see the README.
let package = Package(
    name: "Undergo",
    platforms: [.macOS(.v13), .iOS(.v16)],
    products: [.library(name: "Undergo", targets: ["Undergo"])],
    targets: [
        .systemLibrary(name: "UndergoCoreFFI"),
        .target(name: "UndergoCore", dependencies: ["UndergoCoreFFI"], linkerSettings: [.linkedLibrary("undergo_uniffi")]),
        .target(name: "Undergo", dependencies: ["UndergoCore"]),
    ]
)
