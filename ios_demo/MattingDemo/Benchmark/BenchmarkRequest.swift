import Foundation
import MattingCore

/// A benchmark that a computer asks for: `edgemat bench --device ios` starts the app with
/// `--benchmark` and these settings as JSON.
struct BenchmarkRequest: Decodable, Equatable {
    let delegate: ComputeChoice
    let `protocol`: BenchmarkProtocol

    private static let flag = "--benchmark"

    /// - Returns: nil when the app was started by a finger.
    init?(arguments: [String]) {
        guard let flag = arguments.firstIndex(of: Self.flag), flag + 1 < arguments.count else {
            return nil
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let request = try? decoder.decode(Self.self, from: Data(arguments[flag + 1].utf8))
        else { return nil }
        self = request
    }
}

/// Where the results of the last benchmark lie: in the app's documents, from where Files, a Mac
/// and the share button take them.
enum ResultFile {
    static let url = URL.documentsDirectory.appending(path: "benchmark.json")

    static func write(_ results: [BenchmarkResult]) throws {
        try results.json().write(to: url, options: .atomic)
    }

    static func remove() { try? FileManager.default.removeItem(at: url) }
}
