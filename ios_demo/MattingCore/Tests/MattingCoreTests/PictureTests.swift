import Testing

@testable import MattingCore

/// Resizing, orientation and row strides, compared with Python's.
@Suite struct PictureTests {
    struct Resize: Decodable {
        let input: Array3, output: Array3, size: [Int], method: String
    }

    @Test func resizesLikePillow() throws {
        for one in try Vectors.load("resize", "whole") as [Resize] {
            let filter = try #require(ResamplingFilter(rawValue: one.method))
            let size = PixelSize(height: one.size[0], width: one.size[1])
            if one.input.shape.count == 3 {
                let found = one.input.image.resized(to: size, filter: filter)
                #expect(try largestDifference(found.bytes, one.output) == 0, "\(filter)")
            } else if filter == .nearest {
                let found = one.input.trimap.resized(to: size, filter: filter)
                #expect(try largestDifference(found.values, one.output) == 0)
            } else {
                let found = one.input.matte.resized(to: size, filter: filter)
                #expect(try largestDifference(found.values, one.output) < rounding, "\(one.method)")
            }
        }
    }

    @Test func givesAPlaneForEachChannelAndTheTrimapLast() {
        let size = PixelSize(height: 1, width: 2)
        let image = RGBImage(size: size, bytes: [1, 2, 3, 4, 5, 6])
        #expect(image.planes(trimap: nil, scale: 2) == [2, 8, 4, 10, 6, 12])
        let trimap = Trimap(size: size, values: [0, 255])
        #expect(image.planes(trimap: trimap, scale: 1) == [1, 4, 2, 5, 3, 6, 0, 255])
    }

    struct Rows: Decodable {
        let input: Array3, output: Array3, size: [Int], rows: [Int]
    }

    @Test func makesSomeRowsAlone() throws {
        for one in try Vectors.load("resize", "rows") as [Rows] {
            let size = PixelSize(height: one.size[0], width: one.size[1])
            let rows = one.rows[0]..<one.rows[1]
            if one.input.shape[2] == 3 {
                let found = one.input.image.resizedRows(rows, of: size)
                #expect(try largestDifference(found.bytes, one.output) <= 1)
            } else {
                let found = one.input.plane(0).resizedRows(rows, of: size)
                #expect(try largestDifference(found.values, one.output) < rounding)
            }
        }
    }

    struct Upright: Decodable {
        let exif: Int, stored: Array3, upright: Array3
    }

    @Test func turnsAllOrientations() throws {
        let cases: [Upright] = try Vectors.load("orientation", "upright")
        #expect(cases.map(\.exif) == Orientation.allCases.map(\.rawValue))
        for one in cases {
            let orientation = try #require(Orientation(rawValue: one.exif))
            #expect(one.stored.image.upright(storedAs: orientation) == one.upright.image)
        }
    }

    struct Packed: Decodable {
        let order: String, rowStride: Int, height: Int, width: Int, buffer: Array3, image: Array3
    }

    @Test func leavesOutThePaddingOfRows() throws {
        for one in try Vectors.load("buffers", "packed") as [Packed] {
            let layout = PackedPixels(
                size: PixelSize(height: one.height, width: one.width), bytesPerRow: one.rowStride,
                order: one.order == "bgra" ? .bgra : .rgba)
            let buffer = one.buffer.values.map { UInt8($0) }
            #expect(buffer.withUnsafeBytes(layout.read) == one.image.image)

            var written = [UInt8](repeating: 0, count: buffer.count)
            written.withUnsafeMutableBytes { layout.write(one.image.image, into: $0) }
            #expect(written.withUnsafeBytes(layout.read) == one.image.image)
            #expect(written[3] == 255, "opaque")
            #expect(written[one.width * 4] == 0, "the padding is left alone")
        }
    }

    @Test func aCutOutKeepsItsColours() {
        let colours = RGBImage(
            size: PixelSize(height: 1, width: 2), red: 10, green: 20, blue: 30)
        let alpha = AlphaMatte(size: colours.size, values: [0, 0.5])
        let bytes: [UInt8] = [10, 20, 30, 0, 10, 20, 30, 128]
        #expect(RGBAImage(colours: colours, alpha: alpha).bytes == bytes)
        #expect(RGBAImage(size: colours.size, bytes: bytes).bytes == bytes)
    }
}
