/// Who computes. `used` is read from Core ML's plan of the loaded model, never assumed.
public struct Delegate: Codable, Equatable, Sendable {
    /// A `ComputeChoice` on an iPhone.
    public let asked: String
    /// What most operators really run on: a `ComputeUnit`, or "unknown" where iOS does not tell.
    public let used: String
    /// Operators of the file.
    @Required public private(set) var operators: Int?
    /// Of these, on the unit used.
    @Required public private(set) var delegated: Int?
    /// Pieces that the delegated part is cut into.
    @Required public private(set) var partitions: Int?

    /// - Parameter plan: The unit of each operator, in the order of the program; nil or empty
    ///   where iOS does not tell.
    public init(asked choice: ComputeChoice, plan: [ComputeUnit]?) {
        asked = choice.rawValue
        guard let plan, !plan.isEmpty else {
            used = "unknown"
            return
        }
        let counts = Dictionary(grouping: plan) { $0 }.mapValues(\.count)
        let busiest = ComputeUnit.allCases.max { counts[$0, default: 0] < counts[$1, default: 0] }
        let unit = busiest ?? .cpu
        used = unit.rawValue
        operators = plan.count
        delegated = counts[unit, default: 0]
        partitions = plan.indices.count { index in
            plan[index] == unit && (index == 0 || plan[index - 1] != unit)
        }
    }

    /// Whether something else computes than was asked for. "all" leaves the choice to Core ML.
    var fellBack: Bool { asked != ComputeChoice.all.rawValue && used != asked }
}

/// Which units Core ML is allowed to use.
public enum ComputeChoice: String, Codable, CaseIterable, Sendable {
    case cpu
    /// GPU, and CPU for what the GPU cannot do.
    case gpu
    /// Neural Engine, and CPU for what it cannot do.
    case npu
    /// Core ML chooses.
    case all
}

/// What an operator runs on.
public enum ComputeUnit: String, CaseIterable, Sendable {
    case cpu, gpu, npu
}
