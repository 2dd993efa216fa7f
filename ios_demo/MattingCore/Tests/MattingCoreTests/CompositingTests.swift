import Testing

@testable import MattingCore

/// Cut-outs, other backgrounds and depth of field, compared with Python's within 1/255.
@Suite struct CompositingTests {
    struct CutOut: Decodable {
        let image: Array3, alphaBytes: Array3, rgba: Array3
        let replaced: [Replaced], blurred: [Blurred]

        /// Python's alpha has steps of 1/255, so that these bytes are all of it.
        var alpha: AlphaMatte { alphaBytes.trimap.map { Float($0) / 255 } }
    }
    struct Replaced: Decodable {
        let background: Array3, output: Array3
    }
    struct Blurred: Decodable {
        let radius: Double, output: Array3
    }

    private let cases: [CutOut]

    init() throws {
        cases = try Vectors.load("foreground", "cut_out")
    }

    @Test func cutsOut() throws {
        for one in cases {
            let found = Compositing.cutOut(one.image.image, alpha: one.alpha)
            #expect(try largestDifference(found.bytes, one.rgba) <= 1)
        }
    }

    @Test func replacesBackgrounds() throws {
        for one in cases {
            for other in one.replaced {
                let found = Compositing.replaceBackground(
                    of: one.image.image, alpha: one.alpha, with: other.background.image)
                #expect(try largestDifference(found.bytes, other.output) <= 1)
            }
        }
    }

    @Test func blursTheBackgroundAlone() throws {
        for one in cases {
            for blurred in one.blurred {
                let found = Compositing.blurBackground(
                    of: one.image.image, alpha: one.alpha, radius: blurred.radius)
                let difference = try largestDifference(found.bytes, blurred.output)
                #expect(difference <= 1, "radius \(blurred.radius)")
            }
        }
    }
}
