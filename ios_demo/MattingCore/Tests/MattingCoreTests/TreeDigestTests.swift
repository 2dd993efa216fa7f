import Foundation
import Testing

@testable import MattingCore

@Suite struct TreeDigestTests {
    /// With a hash that changes nothing, the description that is hashed can be read.
    @Test func describesNamesAndContentsInPythonsOrder() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, content) in [("a.b", "1"), ("a/z", "2"), ("Manifest", "3"), ("a/b/c", "4")] {
            let file = folder.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(content.utf8).write(to: file)
        }
        let described = try treeDigest(of: folder) { String(decoding: $0, as: UTF8.self) }
        #expect(described == "Manifest\0" + "3\0a/b/c\0" + "4\0a/z\0" + "2\0a.b\0" + "1\0")
    }
}
