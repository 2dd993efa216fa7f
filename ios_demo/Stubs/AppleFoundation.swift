// What Foundation has on iOS and lacks on Linux; compiled together with the app's sources.
import Foundation

extension ProcessInfo {
    enum ThermalState: Int, Sendable { case nominal, fair, serious, critical }
    var thermalState: ThermalState { fatalError() }
    var isLowPowerModeEnabled: Bool { fatalError() }
}

extension String {
    struct LocalizationValue: ExpressibleByStringInterpolation {
        init(stringLiteral value: String) {}
    }
    init(localized key: LocalizationValue) { fatalError() }
}

extension URL {
    static var documentsDirectory: URL { fatalError() }
}
