import CoreML
import CryptoKit
import Foundation
import MattingCore

/// Packages lie in the app as they were exported, so that a model is replaced by replacing a file.
/// The phone compiles each once, and keeps the result as long as the content stays the same.
enum CompiledModels {
    /// The compiled form of a package, made if need be.
    static func compiled(_ package: URL, sha256: String) async throws -> URL {
        let files = FileManager.default
        let caches = try files.url(
            for: .cachesDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        let kept = caches.appending(path: "\(sha256).mlmodelc")
        if files.fileExists(atPath: kept.path) { return kept }
        let fresh = try await MLModel.compileModel(at: package)
        do {
            try files.moveItem(at: fresh, to: kept)
        } catch CocoaError.fileWriteFileExists {
            // Another screen compiled it at the same time.
            try? files.removeItem(at: fresh)
        }
        return kept
    }

    /// The hash that the manifest gives as `sha256`.
    static func sha256(of package: URL) throws -> String {
        try treeDigest(of: package) { data in
            SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined()
        }
    }
}
