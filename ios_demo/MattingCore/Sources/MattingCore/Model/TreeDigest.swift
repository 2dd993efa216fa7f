import Foundation

/// The hash of a folder, by the names and contents of its files; the same as edgemat's
/// `sha256_tree`, so that a package can be compared with its manifest.
///
/// - Parameters:
///   - folder: A package; hidden files count.
///   - sha256: The hash of some bytes, in hexadecimal. It is CryptoKit's on a phone, which the
///     package does without so that it also builds on Linux.
public func treeDigest(of folder: URL, sha256: (Data) -> String) throws -> String {
    var described = Data()
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    // Folder by folder, as Python sorts paths: "a/b" comes before "a.b".
    let ordered = names.sorted {
        $0.split(separator: "/").lexicographicallyPrecedes($1.split(separator: "/"))
    }
    for name in ordered {
        let file = folder.appending(path: name)
        guard try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else {
            continue
        }
        described += Data(name.utf8) + [0]
        described += Data(sha256(try Data(contentsOf: file)).utf8) + [0]
    }
    return sha256(described)
}
