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
