import Foundation

/// What `edgemat export --to ios_demo` wrote into `Models/manifest.json`.
public struct ModelCatalog: Decodable, Equatable, Sendable {
    /// By name.
    public let models: [ModelEntry]

    /// The format that this code reads.
    static let schemaVersion = 1

    private enum CodingKeys: CodingKey { case schemaVersion, models }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let version = try container.decode(Int.self, forKey: .schemaVersion)
        guard version == Self.schemaVersion else {
            throw DecodingError.dataCorruptedError(
                forKey: .schemaVersion, in: container, debugDescription: "version \(version)")
        }
        models = try container.decode([ModelEntry].self, forKey: .models)
    }

    public init(json: Data) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(ModelCatalog.self, from: json)
    }

    /// The models for a task, the quickest kind of file first.
    ///
    /// Core ML's come before Core AI's, which no phone has been seen to run rightly.
    public func models(for task: ModelEntry.Task) -> [ModelEntry] {
        models.filter { $0.task == task }
            .sorted { $0.rank < $1.rank }
    }
}

/// One model of the app, and what the artefact that it comes from says of itself.
public struct ModelEntry: Decodable, Equatable, Identifiable, Sendable {
    public enum Task: String, Decodable, Sendable {
        case portrait, trimap
    }

    /// Files beside the manifest that the app's own output is checked against.
    public struct GoldenFiles: Decodable, Equatable, Sendable {
        public let pixels: String
        public let alpha: String
    }

    /// What a user must know of a model before taking it.
    public struct Card: Decodable, Equatable, Sendable {
        public let purpose: String
        public let data: String
        public let limits: String
    }

    /// Such as "portrait-int8".
    public let name: String
    /// Of the package, beside the manifest.
    public let file: String
    public let task: Task
    /// "int8" or "fp16".
    public let precision: String
    /// Of the package; see `treeDigest`.
    public let sha256: String
    public let bytes: Int
    public let feeding: Feeding
    /// nil where the artefact has none: then nothing can be checked.
    public let golden: GoldenFiles?
    /// Weights of a short run: not fit for an app.
    public let demonstration: Bool
    public let licence: String
    public let dataNotice: String
    public let card: Card?

    public var id: String { name }

    public var isQuantized: Bool { precision == "int8" }

    /// Lower is better.
    fileprivate var rank: Int { (isCoreAI ? 2 : 0) + (isQuantized ? 0 : 1) }

    /// Whether the file is for Core AI, which iOS 27 brought, and not for Core ML.
    public var isCoreAI: Bool { file.hasSuffix(".aimodel") }
}

/// A picture, and the alpha that a model is to compute for it.
public struct Golden: Equatable, Sendable {
    public let image: RGBImage
    /// For models that need one.
    public let trimap: Trimap?
    public let alpha: AlphaMatte

    /// Reads the raw files: H,W,C bytes, and H,W little-endian float32.
    ///
    /// - Returns: nil when a file has not the length that the feeding asks for.
    public init?(pixels: Data, alpha: Data, feeding: Feeding) {
        let size = feeding.size
        guard pixels.count == size.count * feeding.channels, alpha.count == size.count * 4 else {
            return nil
        }
        let bytes = [UInt8](pixels)
        func channel(_ index: Int) -> [UInt8] {
            stride(from: index, to: bytes.count, by: feeding.channels).map { bytes[$0] }
        }
        let (red, green, blue) = (channel(0), channel(1), channel(2))
        let colours = (0..<size.count).flatMap { [red[$0], green[$0], blue[$0]] }
        image = RGBImage(size: size, bytes: colours)
        trimap = feeding.needsTrimap ? Trimap(size: size, values: channel(3)) : nil
        let values = alpha.withUnsafeBytes { bytes in
            (0..<size.count).map { pixel in
                let bits = bytes.loadUnaligned(fromByteOffset: pixel * 4, as: UInt32.self)
                return Float(bitPattern: UInt32(littleEndian: bits))
            }
        }
        self.alpha = AlphaMatte(size: size, values: values)
    }
}
