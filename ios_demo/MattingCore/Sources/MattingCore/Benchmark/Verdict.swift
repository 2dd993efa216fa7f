import Foundation

/// Whether a measurement may be quoted, and if not, why.
public struct Verdict: Equatable, Sendable {
    /// Empty where the measurement is valid. In English, as in the result file.
    public let reasons: [String]

    public var isValid: Bool { reasons.isEmpty }

    /// The same rules, in the same words, as edgemat's `judge_result`.
    public init(
        latency: Latency, settings: BenchmarkProtocol, delegate: Delegate,
        circumstances: Circumstances, golden: GoldenCheck?
    ) {
        var reasons: [String] = []
        if latency.cv > settings.maxCv {
            reasons.append(
                "CV \((latency.cv * 100).formatted("%.1f"))% is above "
                    + "\((settings.maxCv * 100).formatted("%.0f"))%")
        }
        if abs(latency.drift) > settings.maxDrift {
            reasons.append(
                "drift \((latency.drift * 100).formatted("%+.1f"))% is beyond "
                    + "\((settings.maxDrift * 100).formatted("%.0f"))%")
        }
        let (before, after) = (circumstances.before, circumstances.after)
        if before.isHot {
            reasons.append("the device was hot at the start (\(before.heat))")
        } else if after.isHot {
            reasons.append("the device was throttled at the end (\(after.heat))")
        }
        if before.lowPowerMode == true || after.lowPowerMode == true {
            reasons.append("low-power mode is on")
        }
        if delegate.fellBack {
            reasons.append("\(delegate.asked) was asked for and \(delegate.used) was used")
        }
        if let golden, !golden.passed {
            reasons.append(
                "the matte is wrong: mean |difference| \(golden.meanAbs.formatted("%.2g")) to the "
                    + "golden one, limit \(golden.limit.formatted("%g"))")
        }
        self.reasons = reasons
    }
}

extension Double {
    /// The number in C's notation, whatever the phone's language: result files are English.
    func formatted(_ format: String) -> String {
        String(format: format, locale: Locale(identifier: "en_US_POSIX"), self)
    }
}
