// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "MattingCore",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [.library(name: "MattingCore", targets: ["MattingCore"])],
    targets: [
        .target(name: "MattingCore"),
        .testTarget(name: "MattingCoreTests", dependencies: ["MattingCore"]),
    ]
)
