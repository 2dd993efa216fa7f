import Foundation
import Testing

@testable import MattingCore

/// What Python computed: the JSON files in `tests/vectors`, written by `python -m tools.vectors`.
enum Vectors {
    /// The folder of Python's tests.
    static let tests = URL(filePath: #filePath)
        .appending(path: "../../../../../tests").standardized
    private static let folder = tests.appending(path: "vectors")

    /// The cases of one subject in one file.
    static func load<Case: Decodable>(_ file: String, _ subject: String) throws -> [Case] {
        let data = try Data(contentsOf: folder.appending(path: "\(file).json"))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let subjects = try decoder.decode([String: Lenient<[Case]>].self, from: data)
        return try #require(subjects[subject]?.value, "\(file).json has no \(subject)")
    }

    /// A whole file as plain objects.
    static func objects(_ file: String) throws -> [String: [[String: Any]]] {
        let data = try Data(contentsOf: folder.appending(path: "\(file).json"))
        return try #require(
            JSONSerialization.jsonObject(with: data) as? [String: [[String: Any]]])
    }

    /// The other subjects of a file have other cases.
    private struct Lenient<Value: Decodable>: Decodable {
        let value: Value?

        init(from decoder: any Decoder) throws {
            value = try? Value(from: decoder)
        }
    }
}

/// An array of numpy's, in row-major order.
struct Array3: Decodable {
    let shape: [Int]
    let values: [Double]

    var size: PixelSize { PixelSize(height: shape[0], width: shape[1]) }

    var bytes: [UInt8] { values.map { UInt8($0) } }

    var image: RGBImage { RGBImage(size: size, bytes: bytes) }

    var trimap: Trimap { Trimap(size: size, values: bytes) }

    var matte: AlphaMatte { AlphaMatte(size: size, values: values.map { Float($0) }) }

    /// One channel of a float array of three dimensions.
    func plane(_ channel: Int) -> Plane<Float> {
        let channels = shape.count > 2 ? shape[2] : 1
        return Plane(
            size: size,
            values: (0..<size.count).map { Float(values[$0 * channels + channel]) })
    }
}

/// The largest difference of two lists of numbers, which must be equally long.
func largestDifference(
    _ found: some Collection<Double>, _ expected: some Collection<Double>
) throws -> Double {
    try #require(found.count == expected.count)
    return zip(found, expected).map { abs($0 - $1) }.max() ?? 0
}

func largestDifference(_ found: [UInt8], _ expected: Array3) throws -> Double {
    try largestDifference(found.map { Double($0) }, expected.values)
}

func largestDifference(_ found: [Float], _ expected: Array3) throws -> Double {
    try largestDifference(found.map { Double($0) }, expected.values)
}

/// Vectors hold floats with five decimals.
let rounding = 1.5e-5
