import Testing

@testable import MattingCore

/// What happens to a picture before and after the network, compared with Python's.
@Suite struct MattingTests {
    struct Fit: Decodable {
        let picture: [Int], frame: [Int]
        let height: Int, width: Int, top: Int, bottom: Int, left: Int, right: Int
        let enlarges: Bool
    }

    @Test func fitsPicturesIntoFrames() throws {
        for one in try Vectors.load("letterbox", "fit") as [Fit] {
            let fit = Letterbox(
                fitting: PixelSize(height: one.picture[0], width: one.picture[1]),
                into: PixelSize(height: one.frame[0], width: one.frame[1]))
            #expect(fit.size == PixelSize(height: one.height, width: one.width))
            #expect(
                fit.margins
                    == Margins(top: one.top, bottom: one.bottom, left: one.left, right: one.right))
            #expect(fit.enlarges == one.enlarges)
        }
    }

    struct Input: Decodable {
        let image: Array3, frame: [Int], input: Array3
    }

    @Test func fillsTheFrameOfAPortraitModel() throws {
        for one in try Vectors.load("input", "portrait") as [Input] {
            let fit = Letterbox(
                fitting: one.image.size,
                into: PixelSize(height: one.frame[0], width: one.frame[1]))
            let small = one.image.image.resized(
                to: fit.size, filter: fit.enlarges ? .bicubic : .bilinear)
            let framed = fit.pad(small)
            for channel in 0..<3 {
                let found = framed.plane(channel, scale: 1 / 255)
                let expected = one.input.plane(channel).values.map { Double($0) }
                let difference = try largestDifference(found.values.map { Double($0) }, expected)
                #expect(difference < rounding)
            }
        }
    }

    struct Axis: Decodable {
        let length: Int, size: Int, starts: [Int], weights: Array3?
    }

    @Test func tilesOverlapAndTheirWeightsAddUp() throws {
        for one in try Vectors.load("tiling", "axis") as [Axis] {
            let spans = tileAxis(length: one.length, size: one.size)
            #expect(spans.map(\.start) == one.starts)
            if let weights = one.weights {
                #expect(try largestDifference(spans.flatMap(\.weights), weights) < rounding)
            }
            var total = [Float](repeating: 0, count: one.length)
            for span in spans {
                for (pixel, weight) in span.weights.enumerated() {
                    total[span.start + pixel] += weight
                }
            }
            #expect(total.allSatisfy { abs($0 - 1) < 1e-5 })
        }
    }

    struct FittedTrimap: Decodable {
        let trimap: Array3, size: [Int], output: Array3
    }
    struct Shape: Decodable {
        let trimap: [Int], picture: [Int], accepted: Bool
    }

    @Test func fitsTrimaps() throws {
        for one in try Vectors.load("trimap", "fit") as [FittedTrimap] {
            let fitted = try one.trimap.trimap.fitted(
                to: PixelSize(height: one.size[0], width: one.size[1]))
            #expect(fitted == one.output.trimap)
        }
        for one in try Vectors.load("trimap", "shape") as [Shape] {
            let trimap = Trimap(
                size: PixelSize(height: one.trimap[0], width: one.trimap[1]), repeating: 128)
            let picture = PixelSize(height: one.picture[0], width: one.picture[1])
            let fitted = try? trimap.fitted(to: picture)
            #expect((fitted != nil) == one.accepted, "\(picture)")
        }
    }

    struct Upsample: Decodable {
        let image: Array3, small: Array3, alpha: Array3, coefficients: Array3, output: Array3
    }

    @Test func followsTheEdgesOfThePicture() throws {
        for one in try Vectors.load("guided", "upsample") as [Upsample] {
            let guide = (0..<3).map(one.small.plane)
            let fitted = GuidedFilter.coefficients(guide: guide, target: one.alpha.matte)
            for (channel, plane) in fitted.enumerated() {
                let expected = one.coefficients.plane(channel).values.map { Double($0) }
                // The vectors' own input is rounded to five decimals.
                #expect(try largestDifference(plane.values.map { Double($0) }, expected) < 1e-3)
            }
            let image = one.image.image
            let small = image.resized(to: one.alpha.size, filter: .bilinear)
            let large = GuidedFilter.upsample(
                one.alpha.matte, small: small, scale: 1 / 255, image: image)
            #expect(try largestDifference(large.values, one.output) < 1e-4)
        }
    }

    struct Whole: Decodable {
        let image: Array3, trimap: Array3?, height: Int, width: Int, mixture: [Float]
        let alpha: Array3
    }

    @Test func mattesWholePictures() async throws {
        for one in try Vectors.load("matte", "matte") as [Whole] {
            let mixer = Mixer(
                feeding: Feeding(
                    layout: "image", height: one.height, width: one.width,
                    channels: one.mixture.count, scale: 1 / 255),
                mixture: one.mixture)
            let alpha = try await Matting.matte(
                one.image.image, trimap: one.trimap?.trimap, with: mixer)
            #expect(try largestDifference(alpha.values, one.alpha) < 1 / 255 / 10)
        }
    }

    struct Fed: Decodable {
        let fit: MattingCore.Fit, image: Array3, trimap: Array3?, height: Int, width: Int
        let mixture: [Float], alpha: Array3
    }

    @Test func feedsAModelAsItsManifestSays() async throws {
        for one in try Vectors.load("matte", "fed") as [Fed] {
            let mixer = Mixer(
                feeding: Feeding(
                    layout: "image", height: one.height, width: one.width,
                    channels: one.mixture.count, scale: 1 / 255, fit: one.fit),
                mixture: one.mixture)
            let alpha = try await Matting.matteAsFed(one.image.image, one.trimap?.trimap, mixer)
            #expect(try largestDifference(alpha.values, one.alpha) < rounding)
        }
    }

    @Test func refusesWhatItCannotMatte() async throws {
        let tiles = Mixer(
            feeding: Feeding(layout: "image", height: 32, width: 32, channels: 4, scale: 1 / 255),
            mixture: [0, 0, 0, 1])
        let picture = RGBImage(
            size: PixelSize(height: 40, width: 40), red: 1, green: 2, blue: 3)
        await #expect(throws: MattingError.trimapMissing) {
            _ = try await Matting.matte(picture, with: tiles)
        }
    }

    struct Side: Decodable {
        let size: [Int], accepted: Bool
    }

    @Test func mattesPicturesOfTheSameSidesAsPython() async throws {
        for one in try Vectors.load("matte", "sides") as [Side] {
            let size = PixelSize(height: one.size[0], width: one.size[1])
            let picture = RGBImage(size: size, red: 1, green: 2, blue: 3)
            let known = Trimap(size: size, repeating: TrimapValue.background.rawValue)
            let model = Mixer(
                feeding: Feeding(
                    layout: "image", height: 16, width: 16, channels: 4, scale: 1 / 255),
                mixture: [])
            let alpha = try? await Matting.matte(picture, trimap: known, with: model)
            #expect((alpha != nil) == one.accepted, "\(size)")
        }
    }
}

/// Stands for a network: alpha is a mixture of the input's channels, the same everywhere.
struct Mixer: AlphaPredictor {
    let feeding: Feeding
    let mixture: [Float]

    func predict(_ image: RGBImage, trimap: Trimap?) -> AlphaMatte {
        var alpha = AlphaMatte(size: image.size, repeating: 0)
        for pixel in 0..<image.size.count {
            for channel in 0..<3 {
                let value = Float(image.bytes[pixel * 3 + channel]) * feeding.scale
                alpha.values[pixel] += mixture[channel] * value
            }
            if let trimap {
                alpha.values[pixel] += mixture[3] * Float(trimap.values[pixel]) * feeding.scale
            }
        }
        return alpha
    }
}
