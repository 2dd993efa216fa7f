import CoreML
import MattingCore

/// What Core ML says about where the operators of a model run.
enum ComputePlan {
    /// The unit of each operator in the order of the program; nil before iOS 17.4, and for models
    /// that are no ML Programs.
    static func units(of compiled: URL, choice: ComputeChoice) async throws -> [ComputeUnit]? {
        guard #available(iOS 17.4, *) else { return nil }
        let plan = try await MLComputePlan.load(
            contentsOf: compiled, configuration: .using(choice))
        guard case .program(let program) = plan.modelStructure,
            let main = program.functions["main"]
        else { return nil }
        // Constants are computed nowhere, and have no device.
        return main.block.operations.compactMap { operation in
            plan.deviceUsage(for: operation).flatMap { ComputeUnit($0.preferred) }
        }
    }
}

extension ComputeUnit {
    @available(iOS 17.4, *)
    fileprivate init?(_ device: MLComputeDevice) {
        switch device {
        case .cpu: self = .cpu
        case .gpu: self = .gpu
        case .neuralEngine: self = .npu
        @unknown default: return nil
        }
    }
}
