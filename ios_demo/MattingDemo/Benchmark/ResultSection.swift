import Charts
import MattingCore
import SwiftUI

/// One model's latency with its circumstances.
struct ResultSection: View {
    let result: BenchmarkResult

    var body: some View {
        Section {
            verdict
            LabeledContent("Median") { Milliseconds(result.latency.p50Ms) }
            LabeledContent("90 of 100 are quicker than") { Milliseconds(result.latency.p90Ms) }
            LabeledContent("99 of 100 are quicker than") { Milliseconds(result.latency.p99Ms) }
            LabeledContent("Loading") { Milliseconds(result.initMs) }
            LabeledContent("First run") { Milliseconds(result.firstMs) }
            LabeledContent("Computed on", value: computedOn)
            if let golden = result.golden {
                LabeledContent("Difference to the golden matte") {
                    Text("\(golden.meanAbs, specifier: "%.5f")")
                }
            }
            DistributionChart(samplesMs: result.samplesMs, p90Ms: result.latency.p90Ms)
            if let sustained = result.sustained {
                SustainedChart(sustained: sustained)
            }
        } header: {
            Text(verbatim: result.name)
        }
    }

    private var verdict: some View {
        VStack(alignment: .leading) {
            if result.isValid {
                Label("Valid", systemImage: "checkmark.seal")
            } else {
                Label("Not valid", systemImage: "xmark.seal")
                // In English, as in the result file.
                Text(verbatim: result.reason)
                    .font(.footnote)
                    .foregroundStyle(.secondary)
            }
        }
    }

    private var computedOn: String {
        let delegate = result.delegate
        guard let operators = delegate.operators, let delegated = delegate.delegated else {
            return delegate.used
        }
        return "\(delegate.used), \(delegated)/\(operators)"
    }
}

private struct Milliseconds: View {
    let value: Double

    init(_ value: Double) { self.value = value }

    var body: some View {
        Text("\(value, specifier: "%.2f") ms").monospacedDigit()
    }
}

/// How often which latency was measured; a line marks p90.
private struct DistributionChart: View {
    let samplesMs: [Double]
    let p90Ms: Double

    var body: some View {
        Chart {
            ForEach(Histogram(samplesMs: samplesMs).bins) { bin in
                BarMark(
                    xStart: .value("From", bin.from), xEnd: .value("To", bin.to),
                    y: .value("Runs", bin.count))
            }
            RuleMark(x: .value("p90", p90Ms))
                .foregroundStyle(.orange)
        }
        .chartXAxisLabel("ms")
        .frame(height: 140)
        .accessibilityLabel("Distribution of the latencies")
    }
}

/// The median over time, while the phone does nothing else.
private struct SustainedChart: View {
    let sustained: Sustained

    var body: some View {
        Chart {
            ForEach(Array(zip(sustained.atS, sustained.p50Ms)), id: \.0) { second, median in
                LineMark(x: .value("Seconds", second), y: .value("Median", median))
            }
        }
        .chartXAxisLabel("s")
        .chartYAxisLabel("ms")
        .frame(height: 140)
        .accessibilityLabel("Median over time, without a pause")
    }
}
