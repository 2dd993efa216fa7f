import Testing

@testable import MattingCore

@Suite struct HistogramTests {
    @Test func countsEverySampleOnce() {
        let samples = (0..<500).map { 10 + Double($0 % 37) / 10 } + [400]
        let bins = Histogram(samplesMs: samples, bins: 12).bins
        #expect(bins.reduce(0) { $0 + $1.count } == samples.count)
        #expect(bins[0].from == 10 && bins[11].to < 14, "the hiccup does not widen the bins")
    }

    @Test func equalSamplesAreOneBin() {
        let bins = Histogram(samplesMs: [5, 5, 5]).bins
        #expect(bins[0].count == 3 && bins.dropFirst().allSatisfy { $0.count == 0 })
    }
}
