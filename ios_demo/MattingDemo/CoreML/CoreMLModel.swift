import CoreML
import MattingCore

/// A Core ML file as `edgemat export` writes it: pictures in, alpha out.
///
/// An actor, because an `MLModel` is to be used by one task at a time.
actor CoreMLModel: AlphaPredictor {
    nonisolated let feeding: Feeding
    private let model: MLModel

    /// - Parameters:
    ///   - compiled: The `.mlmodelc`.
    ///   - choice: Which units may compute.
    init(compiled: URL, feeding: Feeding, choice: ComputeChoice) throws {
        self.feeding = feeding
        model = try MLModel(contentsOf: compiled, configuration: .using(choice))
    }

    /// Runs the model once; see `AlphaPredictor`.
    func predict(_ image: RGBImage, trimap: Trimap?) throws -> AlphaMatte {
        let input = try Features.input(image, trimap: trimap)
        return try Features.alpha(in: model.prediction(from: input), size: feeding.size)
    }
}

extension MLModelConfiguration {
    /// A configuration that leaves computing to some units.
    static func using(_ choice: ComputeChoice) -> MLModelConfiguration {
        let configuration = MLModelConfiguration()
        configuration.computeUnits =
            switch choice {
            case .cpu: .cpuOnly
            case .gpu: .cpuAndGPU
            case .npu: .cpuAndNeuralEngine
            case .all: .all
            }
        return configuration
    }
}

/// The names of inputs and output, which edgemat's converter gives to every file.
enum Features {
    private static let image = "image"
    private static let trimap = "trimap"
    private static let alpha = "alpha"

    /// - Parameters:
    ///   - image: Of the model's size.
    ///   - trimap: Of the same size, for models that take one.
    static func input(_ image: RGBImage, trimap: Trimap?) throws -> MLDictionaryFeatureProvider {
        var features = [Self.image: MLFeatureValue(pixelBuffer: try image.pixelBuffer())]
        if let trimap {
            features[Self.trimap] = MLFeatureValue(pixelBuffer: try trimap.pixelBuffer())
        }
        return try MLDictionaryFeatureProvider(dictionary: features)
    }

    /// A grey picture, and a trimap that knows nothing: how long a model takes does not depend on
    /// what it sees.
    static func blank(for feeding: Feeding) throws -> MLDictionaryFeatureProvider {
        try input(
            RGBImage(size: feeding.size, red: 128, green: 128, blue: 128),
            trimap: feeding.needsTrimap
                ? Trimap(size: feeding.size, repeating: TrimapValue.unknown.rawValue) : nil)
    }

    static func alpha(in output: any MLFeatureProvider, size: PixelSize) throws -> AlphaMatte {
        guard let array = output.featureValue(for: alpha)?.multiArrayValue,
            array.count == size.count
        else { throw BenchmarkError.matte }
        // A multi-array may be float16, and its rows may be padded; a shaped array's are neither.
        return AlphaMatte(size: size, values: MLShapedArray<Float>(converting: array).scalars)
    }
}
