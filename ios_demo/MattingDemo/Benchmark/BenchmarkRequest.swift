import Foundation
import MattingCore

/// A benchmark that a computer asks for: `edgemat bench --device ios` starts the app with
/// `--benchmark` and these settings as JSON.
struct BenchmarkRequest: Decodable, Equatable {
    let delegate: ComputeChoice
    let `protocol`: BenchmarkProtocol

    private static let flag = "--benchmark"

    /// - Returns: nil when the app was started by a finger.
    /// - Throws: A `DecodingError` when the settings are none.
    init?(arguments: [String]) throws {
        guard let flag = arguments.firstIndex(of: Self.flag) else { return nil }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let settings = arguments[(flag + 1)...].first ?? ""
        self = try decoder.decode(Self.self, from: Data(settings.utf8))
    }

    /// Tells the computer what went wrong: it looks for such a line on the console.
    static func complain(_ sentence: String) { print("edgemat: \(sentence)") }
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
