@_exported import CoreVideo

public enum MLComputeUnits: Int, Sendable { case cpuOnly, cpuAndGPU, all, cpuAndNeuralEngine }

public final class MLModelConfiguration {
    public init() {}
    public var computeUnits: MLComputeUnits = .all
}

// Not Sendable, which is the stricter reading.
public final class MLModel {
    public init(contentsOf url: URL, configuration: MLModelConfiguration) throws {}
    public static func compileModel(at url: URL) async throws -> URL { fatalError() }
    public func prediction(from input: any MLFeatureProvider) throws -> any MLFeatureProvider {
        fatalError()
    }
}

public protocol MLFeatureProvider: AnyObject {
    func featureValue(for name: String) -> MLFeatureValue?
}

public final class MLFeatureValue {
    public convenience init(pixelBuffer: CVPixelBuffer) { fatalError() }
    public var multiArrayValue: MLMultiArray? { fatalError() }
}

public final class MLDictionaryFeatureProvider: MLFeatureProvider {
    public init(dictionary: [String: Any]) throws {}
    public func featureValue(for name: String) -> MLFeatureValue? { fatalError() }
}

public final class MLMultiArray {
    public var count: Int { fatalError() }
}

public protocol MLShapedArrayScalar {}
extension Float: MLShapedArrayScalar {}

public struct MLShapedArray<Scalar: MLShapedArrayScalar> {
    public init(converting array: MLMultiArray) {}
    public var scalars: [Scalar] { fatalError() }
}

public enum MLComputeDevice {
    public final class CPU: Sendable {}
    case cpu(CPU)
    case gpu(CPU)
    case neuralEngine(CPU)
}

public final class MLModelStructure {
    public enum Kind {
        case neuralNetwork
        case program(Program)
        case pipeline
        case unsupported
    }
    public struct Program {
        public struct Operation {}
        public struct Block { public let operations: [Operation] }
        public struct Function { public let block: Block }
        public let functions: [String: Function]
    }
}

public final class MLComputePlan {
    public struct DeviceUsage { public let preferred: MLComputeDevice }
    public static func load(contentsOf url: URL, configuration: MLModelConfiguration) async throws
        -> MLComputePlan
    { fatalError() }
    public var modelStructure: MLModelStructure.Kind { fatalError() }
    public func deviceUsage(for operation: MLModelStructure.Program.Operation) -> DeviceUsage? {
        fatalError()
    }
}
