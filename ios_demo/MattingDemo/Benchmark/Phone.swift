@preconcurrency import Darwin
import Foundation
import MattingCore
import UIKit

/// What this phone tells of itself.
enum Phone {
    /// Heat, battery and low-power mode now.
    @MainActor static func condition() -> Condition {
        let device = UIDevice.current
        device.isBatteryMonitoringEnabled = true
        let process = ProcessInfo.processInfo
        return Condition(
            thermalStatus: ThermalStatus(process.thermalState),
            batteryLevel: device.batteryLevel < 0 ? nil : Double(device.batteryLevel),
            charging: device.batteryState.isCharging,
            lowPowerMode: process.isLowPowerModeEnabled)
    }

    @MainActor static func circumstances(before: Condition, after: Condition) -> Circumstances {
        let device = UIDevice.current
        let system = "\(device.systemName) \(device.systemVersion)"
        return Circumstances(
            deviceKind: isSimulated ? .emulated : .physical, device: device.model, soc: machine,
            cores: ProcessInfo.processInfo.activeProcessorCount, os: system, abi: "arm64",
            runtime: "Core ML, \(system)", before: before, after: after)
    }

    /// The largest physical footprint of this process so far, which is what iOS limits.
    static func peakMemoryBytes() -> Int? {
        var info = task_vm_info_data_t()
        let words = MemoryLayout<task_vm_info_data_t>.size / MemoryLayout<integer_t>.size
        var count = mach_msg_type_number_t(words)
        let status = withUnsafeMutablePointer(to: &info) { pointer in
            pointer.withMemoryRebound(to: integer_t.self, capacity: words) {
                task_info(mach_task_self_, task_flavor_t(TASK_VM_INFO), $0, &count)
            }
        }
        return status == KERN_SUCCESS ? Int(info.ledger_phys_footprint_peak) : nil
    }

    private static var isSimulated: Bool {
        #if targetEnvironment(simulator)
            true
        #else
            false
        #endif
    }

    /// The identifier of the model, such as "iPhone16,1": iOS does not name its chip.
    private static var machine: String {
        var info = utsname()
        uname(&info)
        return withUnsafeBytes(of: info.machine) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

extension ThermalStatus {
    fileprivate init?(_ state: ProcessInfo.ThermalState) {
        switch state {
        case .nominal: self = .none
        case .fair: self = .light
        case .serious: self = .severe
        case .critical: self = .critical
        @unknown default: return nil
        }
    }
}

extension UIDevice.BatteryState {
    fileprivate var isCharging: Bool? {
        switch self {
        case .charging, .full: true
        case .unplugged: false
        case .unknown: nil
        @unknown default: nil
        }
    }
}
