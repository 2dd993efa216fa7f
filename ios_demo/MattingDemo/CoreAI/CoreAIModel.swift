#if canImport(CoreAI)
    import CoreAI
    import Foundation
    import MattingCore

    /// A Core AI file as `edgemat export --format coreai` writes it: planes of numbers in, alpha out.
    @available(iOS 27, *)
    struct CoreAIModel: AlphaPredictor {
        let feeding: Feeding
        private let function: InferenceFunction

        // The names that edgemat's converter gives to every file.
        private static let main = "main"
        private static let image = "image"
        private static let alpha = "alpha"

        /// Loads a model for every unit that Core AI likes; iOS prepares it once, and keeps that.
        ///
        /// - Parameter file: The `.aimodel`.
        /// - Throws: `Failure.damagedModel`, or Core AI's error.
        init(file: URL, feeding: Feeding) async throws {
            self.feeding = feeding
            let model = try await AIModel(contentsOf: file, options: .default)
            guard let function = try model.loadFunction(named: Self.main) else {
                throw Failure.damagedModel(file.lastPathComponent)
            }
            self.function = function
        }

        /// Runs the model once; see `AlphaPredictor`.
        func predict(_ image: RGBImage, trimap: Trimap?) async throws -> AlphaMatte {
            let size = feeding.size
            let input = NDArray(
                scalars: image.planes(trimap: trimap, scale: feeding.scale),
                shape: [1, feeding.channels, size.height, size.width])
            var outputs = try await function.run(inputs: [Self.image: input])
            guard let array = outputs.remove(Self.alpha)?.ndArray,
                array.shape == [1, 1, size.height, size.width]
            else { throw BenchmarkError.matte }
            // Rows may be padded.
            let values = array.view(as: Float.self).withUnsafePointer { first, _, strides in
                (0..<size.count).map { pixel in
                    let (row, column) = pixel.quotientAndRemainder(dividingBy: size.width)
                    return first[row * strides[2] + column * strides[3]]
                }
            }
            return AlphaMatte(size: size, values: values)
        }
    }
#endif
