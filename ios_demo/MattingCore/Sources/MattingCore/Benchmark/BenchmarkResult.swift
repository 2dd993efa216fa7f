import Foundation

/// The latency of one model in one setting, with all that it depends on: what
/// `edgemat bench import` reads. Its schema is `docs/result-schema.json`.
public struct BenchmarkResult: Codable, Equatable, Sendable {
    public private(set) var schemaVersion = 2
    public let name: String
    /// Over the names and contents of the package's files.
    public let modelSha256: String
    public let modelBytes: Int
    /// Core ML chooses its threads itself: the cores that it may use.
    public let threads: Int
    public let delegate: Delegate
    /// Loading the compiled model.
    public let initMs: Double
    /// The first inference.
    public let firstMs: Double
    public let warmupRuns: Int
    public let samplesMs: [Double]
    public let latency: Latency
    public let verdict: String
    /// Why it is invalid, else empty.
    public let reason: String
    /// Of the whole process, all its models included.
    public let peakMemoryBytes: Int?
    @Required public private(set) var golden: GoldenCheck?
    public let sustained: Sustained?
    public let `protocol`: BenchmarkProtocol
    public let circumstances: Circumstances
    /// UTC, ISO 8601.
    public let recordedAt: String

    /// What is known of a model besides its latencies.
    public struct Subject: Sendable {
        public var name: String
        public var modelSha256: String
        public var modelBytes: Int
        public var delegate: Delegate
        public var initMs: Double
        public var firstMs: Double
        public var peakMemoryBytes: Int?
        public var golden: GoldenCheck?

        public init(
            name: String, modelSha256: String, modelBytes: Int, delegate: Delegate,
            initMs: Double, firstMs: Double, peakMemoryBytes: Int?, golden: GoldenCheck?
        ) {
            self.name = name
            self.modelSha256 = modelSha256
            self.modelBytes = modelBytes
            self.delegate = delegate
            self.initMs = initMs
            self.firstMs = firstMs
            self.peakMemoryBytes = peakMemoryBytes
            self.golden = golden
        }
    }

    /// Summarises and judges a measurement.
    ///
    /// - Throws: `BenchmarkError.samples`.
    public init(
        _ subject: Subject, _ measurement: Measurement, settings: BenchmarkProtocol,
        circumstances: Circumstances, recordedAt: Date = .now
    ) throws {
        let latency = try Latency(samplesMs: measurement.samplesMs)
        let judged = Verdict(
            latency: latency, settings: settings, delegate: subject.delegate,
            circumstances: circumstances, golden: subject.golden)
        name = subject.name
        modelSha256 = subject.modelSha256
        modelBytes = subject.modelBytes
        threads = circumstances.cores
        delegate = subject.delegate
        initMs = subject.initMs
        firstMs = subject.firstMs
        warmupRuns = measurement.warmupRuns
        samplesMs = measurement.samplesMs
        self.latency = latency
        verdict = judged.isValid ? "valid" : "invalid"
        reason = judged.reasons.joined(separator: "; ")
        peakMemoryBytes = subject.peakMemoryBytes
        sustained =
            measurement.sustainedMs.isEmpty ? nil : Sustained(samplesMs: measurement.sustainedMs)
        self.protocol = settings
        self.circumstances = circumstances
        self.recordedAt = recordedAt.formatted(.iso8601)
        golden = subject.golden
    }

    public var isValid: Bool { verdict == "valid" }
}

extension [BenchmarkResult] {
    /// The content of a result file.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    /// Reads a result file.
    public init(json: Data) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode([BenchmarkResult].self, from: json)
    }
}

/// An optional whose key is written even where it is nil: the schema asks for `null`.
@propertyWrapper
public struct Required<Value: Codable & Equatable & Sendable>: Codable, Equatable, Sendable {
    public var wrappedValue: Value?

    public init(wrappedValue: Value? = nil) {
        self.wrappedValue = wrappedValue
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        wrappedValue = container.decodeNil() ? nil : try container.decode(Value.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try wrappedValue.map { try container.encode($0) } ?? container.encodeNil()
    }
}
