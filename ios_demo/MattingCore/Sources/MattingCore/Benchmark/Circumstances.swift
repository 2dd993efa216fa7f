/// Who computes. `used` is read from Core ML's plan of the loaded model, never assumed.
public struct Delegate: Codable, Equatable, Sendable {
    public let asked: ComputeChoice
    /// What most operators really run on: a `ComputeChoice`, or "unknown" where iOS does not tell.
    public let used: String
    /// Operators of the file.
    @Required public private(set) var operators: Int?
    /// Of these, on the unit used.
    @Required public private(set) var delegated: Int?
    /// Pieces that the delegated part is cut into.
    @Required public private(set) var partitions: Int?

    /// iOS does not tell where the operators run.
    public init(asked: ComputeChoice) {
        self.asked = asked
        used = "unknown"
    }

    /// - Parameter plan: The unit of each operator, in the order of the program; not empty.
    public init(asked: ComputeChoice, plan: [ComputeUnit]) {
        let counts = Dictionary(grouping: plan) { $0 }.mapValues(\.count)
        let busiest = ComputeUnit.allCases.max { counts[$0, default: 0] < counts[$1, default: 0] }
        let unit = busiest ?? .cpu
        self.asked = asked
        used = unit.rawValue
        operators = plan.count
        delegated = counts[unit, default: 0]
        partitions = plan.indices.count { index in
            plan[index] == unit && (index == 0 || plan[index - 1] != unit)
        }
    }

    /// Whether something else computes than was asked for. "all" leaves the choice to Core ML.
    var fellBack: Bool { asked != .all && used != asked.rawValue }
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

/// The heat of the phone, in Android's words; iOS' nominal, fair, serious and critical are none,
/// light, severe and critical.
public enum ThermalStatus: String, Codable, CaseIterable, Sendable {
    case none, light, moderate, severe, critical, emergency, shutdown

    /// Whether the system holds its clocks back.
    var isThrottled: Bool { self != .none && self != .light }
}

/// What the phone tells of its state at one moment; nil is what it does not tell.
public struct Condition: Codable, Equatable, Sendable {
    public var thermalStatus: ThermalStatus?
    /// Forecast, 1 is where the device throttles severely. iOS has none.
    public var thermalHeadroom: Double?
    /// 0 to 1.
    public var batteryLevel: Double?
    public var charging: Bool?
    public var lowPowerMode: Bool?

    public init(
        thermalStatus: ThermalStatus? = nil, thermalHeadroom: Double? = nil,
        batteryLevel: Double? = nil, charging: Bool? = nil, lowPowerMode: Bool? = nil
    ) {
        self.thermalStatus = thermalStatus
        self.thermalHeadroom = thermalHeadroom
        self.batteryLevel = batteryLevel
        self.charging = charging
        self.lowPowerMode = lowPowerMode
    }

    /// Whether the phone says that it holds its clocks back, or is about to.
    var isHot: Bool {
        thermalStatus?.isThrottled == true || (thermalHeadroom ?? 0) >= 1
    }

    /// Such as "thermal status severe, headroom 1.10".
    var heat: String {
        let told = [
            thermalStatus.map { "thermal status \($0.rawValue)" },
            thermalHeadroom.map { "headroom \($0.formatted("%.2f"))" },
        ]
        return told.compactMap { $0 }.joined(separator: ", ")
    }
}

/// What a latency depends on.
public struct Circumstances: Codable, Equatable, Sendable {
    public enum Kind: String, Codable, Sendable {
        case physical
        /// The simulator: a Mac's processor, not a phone's.
        case emulated
    }

    public var transport = "ios"
    public var deviceKind: Kind
    /// A name for people, such as "iPhone 15".
    public var device: String
    /// System on chip; iOS tells the machine's identifier alone.
    public var soc: String
    /// Logical cores that the process may use.
    public var cores: Int
    /// Such as "iOS 17.5".
    public var os: String
    public var abi: String
    /// Name and version of what runs the model.
    public var runtime: String
    public var before: Condition
    public var after: Condition

    public init(
        deviceKind: Kind, device: String, soc: String, cores: Int, os: String, abi: String,
        runtime: String, before: Condition, after: Condition
    ) {
        self.deviceKind = deviceKind
        self.device = device
        self.soc = soc
        self.cores = cores
        self.os = os
        self.abi = abi
        self.runtime = runtime
        self.before = before
        self.after = after
    }
}
