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
    /// What went wrong while there is a result, which stays on the screen.
    private(set) var problem: (any Error)?
    var hasProblem = false

    /// What was begun last; whatever came before it is given up.
    private var job: Task<Void, Never>?

    /// Longer side of what is shown while settings change; what is saved has full size.
    private static let previewSide = 1080

    var hasMatte: Bool { alpha != nil }

    /// Reads a photograph and computes its matte with a portrait model.
    func open(_ data: Data, library: ModelLibrary) async {
        await attempt {
            let picture = try await Darkroom.decode(data)
            try Task.checkCancellation()
            self.picture = picture
            self.alpha = nil
            let model = try await library.model(for: .portrait)
            let alpha = try await Matting.matte(picture, with: model)
            try Task.checkCancellation()
            self.alpha = alpha
        }
    }

    /// Lets a trimap model look again, at full resolution, at what the matte leaves open.
    func refine(library: ModelLibrary) async {
        guard let picture, let coarse = alpha else { return }
        await attempt {
            let model = try await library.model(for: .trimap)
            let alpha = try await Matting.refine(picture, coarse: coarse, with: model)
            try Task.checkCancellation()
            self.alpha = alpha
        }
    }

    /// Computes the matte again, with a trimap.
    func refine(with trimap: Trimap, library: ModelLibrary) async {
        guard let picture else { return }
        await attempt {
            let model = try await library.model(for: .trimap)
            let alpha = try await Matting.matte(picture, trimap: trimap, with: model)
            try Task.checkCancellation()
            self.alpha = alpha
        }
    }

    /// Takes a picture as the new background.
    func setBackground(_ data: Data) async {
        await attempt {
            let background = try await Darkroom.decode(data)
            try Task.checkCancellation()
            self.background = background
        }
    }

    /// Shows what the current settings make of photograph and matte.
    func render() async {
        guard let picture, let alpha else { return }
        let job = Darkroom.Job(
            picture: picture, alpha: alpha, effect: effect, blur: blur, background: background)
        do {
            let image = try await Darkroom.render(job, side: Self.previewSide)
            if !Task.isCancelled { stage = .done(image) }
        } catch {
            // Else a newer setting is being rendered.
            if !Task.isCancelled { stage = .failed(error) }
        }
    }

    /// The cut-out at full size as a transparent PNG.
    func png() async throws -> Data {
        guard let picture, let alpha else { throw Failure.unreadablePicture }
        return try await Darkroom.png(picture, alpha)
    }

    /// What a trimap is painted on, beginning around the edge of the matte so far.
    func painting() async throws -> TrimapPainting {
        guard let picture else { throw Failure.unreadablePicture }
        return await TrimapPainting(Darkroom.canvas(for: picture, alpha: alpha))
    }

    /// Shows what went wrong: beside the result where there is one, else in its place.
    func fail(_ error: any Error) {
        if hasMatte {
            problem = error
            hasProblem = true
        } else {
            stage = .failed(error)
        }
    }

    private func attempt(_ work: @escaping () async throws -> Void) async {
        job?.cancel()
        stage = .working
        let job = Task {
            do {
                try await work()
            } catch {
                if Task.isCancelled { return }
                fail(error)
            }
            await render()
        }
        self.job = job
        await job.value
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
        fileprivate func reduced(to side: Int) -> Job {
            guard max(picture.height, picture.width) > side else { return self }
            var small = self
            let size = picture.size.fitted(to: side)
            small.picture = picture.resized(to: size, filter: .bilinear)
            small.alpha = alpha.resized(to: size)
            return small
        }
    }

    static func decode(_ data: Data) async throws -> RGBImage {
        try RGBImage(photograph: data)
    }

    /// - Parameter side: Longer side of the result, at most.
    static func render(_ job: Job, side: Int) async throws -> CGImage {
        let job = job.reduced(to: side)
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

    /// What a trimap is painted on.
    struct PaintingGround: Sendable {
        let photograph: RGBImage
        let trimap: Trimap
    }

    /// Longer side of the canvas, in pixels: finer than a finger, and quick to paint on.
    private static let canvasSide = 1024

    /// - Parameter alpha: The matte so far; the trimap then starts around its edge.
    static func canvas(for picture: RGBImage, alpha: AlphaMatte?) async -> PaintingGround {
        let size = picture.size.fitted(to: canvasSide)
        let trimap =
            alpha.map { Trimap(suggestedBy: $0.resized(to: size)) }
            ?? Trimap(size: size, repeating: TrimapValue.background.rawValue)
        return PaintingGround(
            photograph: picture.resized(to: size, filter: .bilinear), trimap: trimap)
    }
}

extension PixelSize {
    /// The same shape with a longer side of `side` pixels.
    fileprivate func fitted(to side: Int) -> PixelSize {
        let longest = max(height, width)
        return PixelSize(
            height: max(1, height * side / longest), width: max(1, width * side / longest))
    }
}

extension RGBImage {
    /// A plain ground in a calm green, until another background is chosen.
    static let studio = RGBImage(
        size: PixelSize(height: 1, width: 1), red: 70, green: 120, blue: 90)
}
