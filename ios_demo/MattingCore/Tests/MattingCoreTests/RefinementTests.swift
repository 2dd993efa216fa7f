import Testing

@testable import MattingCore

/// The second look and the steadied matte, compared with Python's.
@Suite struct RefinementTests {
    struct Suggested: Decodable {
        let alphaBytes: Array3, reach: Int?, output: Array3
    }

    @Test func findsOpenWhatPythonFindsOpen() throws {
        for one in try Vectors.load("refine", "trimap") as [Suggested] {
            let alpha = one.alphaBytes.trimap.map { Float($0) / 255 }
            #expect(Trimap(suggestedBy: alpha, reach: one.reach) == one.output.trimap)
        }
    }

    @Test func looksAgainAtTheBandAlone() async throws {
        var coarse = AlphaMatte(size: PixelSize(height: 20, width: 20), repeating: 0)
        for row in 0..<20 {
            for column in 0..<10 { coarse[row, column] = 1 }
        }
        let picture = RGBImage(
            size: PixelSize(height: 40, width: 40), red: 0, green: 0, blue: 0)
        let halves = Mixer(
            feeding: Feeding(
                layout: "image", height: 32, width: 32, channels: 4, scale: 1 / 256),
            mixture: [0, 0, 0, 1])  // unknown is 128
        let alpha = try await Matting.refine(picture, coarse: coarse, with: halves)
        let row = (0..<40).map { alpha[20, $0] }
        #expect(row.first == 1 && row.last == 0)
        let band = row.filter { $0 > 0 && $0 < 1 }
        #expect((2...6).contains(band.count))
        #expect(band.allSatisfy { abs($0 - 0.5) < 1e-6 })  // weights of tiles are rounded
    }

    struct Frame: Decodable {
        let image: Array3, alpha: Array3, output: Array3
    }

    @Test func steadiesMattesAsPythonDoes() throws {
        let share = try #require(Vectors.load("smoothing", "share") as [Float]).first
        var smoother = Smoother(share: try #require(share))
        for frame in try Vectors.load("smoothing", "frames") as [Frame] {
            let found = smoother.smooth(frame.image.image, frame.alpha.matte)
            #expect(try largestDifference(found.values, frame.output) < rounding)
        }
    }
}
