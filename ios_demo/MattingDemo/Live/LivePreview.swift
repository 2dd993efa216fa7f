import CoreGraphics
import MattingCore
import Observation

/// The camera's picture with another background, frame after frame.
@MainActor @Observable
final class LivePreview {
    private(set) var image: CGImage?
    private(set) var error: (any Error)?
    /// Of the last frame, from the camera's picture to the composited one.
    private(set) var milliseconds: Double?
    var side = Camera.Side.front

    private let camera = Camera()

    /// Runs until its task is cancelled.
    func run(library: ModelLibrary) async {
        error = nil
        do {
            let matting = LiveMatting(model: try await library.model(for: .portrait))
            for await picture in try await camera.pictures(from: side) {
                let start = ContinuousClock.now
                image = try await matting.composite(picture)
                milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
            }
        } catch is CancellationError {
            // The screen has gone.
        } catch {
            self.error = error
        }
    }
}

/// What becomes of the camera's pictures, away from the main thread.
private actor LiveMatting {
    private let model: any AlphaPredictor
    private var smoother = Smoother(share: 0.3)

    init(model: any AlphaPredictor) {
        self.model = model
    }

    func composite(_ picture: RGBImage) async throws -> CGImage? {
        let alpha = smoother.smooth(picture, try await Matting.matte(picture, with: model))
        return Compositing.preview(picture, alpha: alpha, over: .studio).cgImage
    }
}
