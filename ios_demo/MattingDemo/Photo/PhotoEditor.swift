import CoreGraphics
import Foundation
import MattingCore
import Observation

/// What is done with the matte.
enum Effect: String, CaseIterable, Identifiable {
    case cutOut, background, blur, alpha

    var id: Self { self }
}

/// A photograph, its matte, and what is made of both.
@MainActor @Observable
final class PhotoEditor {
    /// What the screen shows.
    enum Stage {
        case empty
        case working
        case done(CGImage)
        case failed(any Error)
    }

    private(set) var stage = Stage.empty
    private(set) var picture: RGBImage?
    var effect = Effect.cutOut
    /// Of the background's blur, relative to the picture's longer side.
    var blur = 0.02
    /// The new background; nil is a plain colour.
    var background: RGBImage?

    private(set) var alpha: AlphaMatte?

    /// Longer side of what is shown while settings change; what is saved has full size.
    private static let previewSide = 1080

    var hasMatte: Bool { alpha != nil }

    /// Reads a photograph and computes its matte with a portrait model.
    func open(_ data: Data, library: ModelLibrary) async {
        await attempt {
            let picture = try await Darkroom.decode(data)
            self.picture = picture
            self.alpha = nil
            let model = try await library.model(for: .portrait)
            self.alpha = try await Matting.matte(picture, with: model)
        }
    }

    /// Computes the matte again, with a trimap.
    func refine(with trimap: Trimap, library: ModelLibrary) async {
        guard let picture else { return }
        await attempt {
            let model = try await library.model(for: .trimap)
            self.alpha = try await Matting.matte(picture, trimap: trimap, with: model)
        }
    }

    /// Takes a picture as the new background.
    func setBackground(_ data: Data) async {
        await attempt {
            self.background = try await Darkroom.decode(data)
        }
    }

    /// Shows what the current settings make of photograph and matte.
    func render() async {
        guard let picture, let alpha else { return }
        let job = Darkroom.Job(
            picture: picture, alpha: alpha, effect: effect, blur: blur, background: background)
        do {
            let image = try await Darkroom.render(job.reduced(to: Self.previewSide))
            if !Task.isCancelled { stage = .done(image) }
        } catch is CancellationError {
            // A newer setting is being rendered.
        } catch {
            stage = .failed(error)
        }
    }

    /// The cut-out at full size as a transparent PNG.
    func png() async throws -> Data {
        guard let picture, let alpha else { throw Failure.unreadablePicture }
        return try await Darkroom.png(picture, alpha)
    }

    func fail(_ error: any Error) { stage = .failed(error) }

    private func attempt(_ work: () async throws -> Void) async {
        stage = .working
        do {
            try await work()
            await render()
        } catch {
            stage = .failed(error)
        }
    }
}

/// The heavy work on pictures, away from the main thread.
enum Darkroom {
    /// All that a rendering depends on.
    struct Job: Sendable {
        var picture: RGBImage
        var alpha: AlphaMatte
        var effect: Effect
        var blur: Double
        var background: RGBImage?

        /// The same job on a picture of at most `side` pixels.
        func reduced(to side: Int) -> Job {
            let longest = max(picture.height, picture.width)
            guard longest > side else { return self }
            var small = self
            let size = PixelSize(
                height: max(1, picture.height * side / longest),
                width: max(1, picture.width * side / longest))
            small.picture = picture.resized(to: size, filter: .bilinear)
            small.alpha = alpha.resized(to: size)
            return small
        }
    }

    static func decode(_ data: Data) async throws -> RGBImage {
        try RGBImage(photograph: data)
    }

    static func render(_ job: Job) async throws -> CGImage {
        let (picture, alpha) = (job.picture, job.alpha)
        let image: CGImage? =
            switch job.effect {
            case .cutOut:
                Compositing.cutOut(picture, alpha: alpha).cgImage
            case .background:
                Compositing.replaceBackground(
                    of: picture, alpha: alpha, with: job.background ?? .studio
                ).cgImage
            case .blur:
                Compositing.blurBackground(
                    of: picture, alpha: alpha,
                    radius: max(1, job.blur * Double(max(picture.height, picture.width)))
                ).cgImage
            case .alpha:
                alpha.picture.cgImage
            }
        try Task.checkCancellation()
        guard let image else { throw Failure.unreadablePicture }
        return image
    }

    static func png(_ picture: RGBImage, _ alpha: AlphaMatte) async throws -> Data {
        try Compositing.cutOut(picture, alpha: alpha).png()
    }
}

extension RGBImage {
    /// A plain ground in a calm green, until another background is chosen.
    static let studio = RGBImage(
        size: PixelSize(height: 1, width: 1), red: 70, green: 120, blue: 90)
}
