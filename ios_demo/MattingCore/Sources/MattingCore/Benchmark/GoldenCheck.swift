/// The phone's matte against the expected one, computed in the same run.
public struct GoldenCheck: Codable, Equatable, Sendable {
    /// Where the expected matte comes from: it is stored with the artefact.
    public var reference = "artefact"
    public let maxAbs: Double
    public let meanAbs: Double
    /// Of `meanAbs`.
    public let limit: Double

    /// Of the mean absolute difference: the bound that edgemat's `verify` sets for int8.
    public static let limit = 0.005

    public init(maxAbs: Double, meanAbs: Double, limit: Double = Self.limit) {
        self.maxAbs = maxAbs
        self.meanAbs = meanAbs
        self.limit = limit
    }

    /// - Throws: `BenchmarkError.matte` when the sizes differ, or a value is not finite.
    public init(_ alpha: AlphaMatte, expected: AlphaMatte) throws {
        guard alpha.size == expected.size, alpha.values.allSatisfy(\.isFinite) else {
            throw BenchmarkError.matte
        }
        let differences = zip(alpha.values, expected.values).map { Double(abs($0 - $1)) }
        self.init(
            maxAbs: differences.max() ?? 0,
            meanAbs: differences.reduce(0, +) / Double(max(differences.count, 1)))
    }

    public var passed: Bool { meanAbs <= limit }
}
