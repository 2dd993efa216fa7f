import Foundation
import MattingCore

/// What can go wrong, said in one sentence with what to do about it.
enum Failure: LocalizedError, Equatable {
    /// Named as edgemat ships it.
    case noModel(String)
    case damagedModel(String)
    case unsupportedModel(String)
    case unreadablePicture
    case cameraRefused
    case cameraUnavailable
    case photosRefused

    var errorDescription: String? {
        switch self {
        case .noModel(let name):
            String(
                localized:
                    "The app has no such model yet. On your computer run: edgemat export \(name) --to ios_demo, then build the app again."
            )
        case .damagedModel(let name):
            String(
                localized:
                    "The model \(name) does not fit its manifest. Export it again, then build the app."
            )
        case .unsupportedModel(let name):
            String(localized: "The model \(name) does not take pictures, which this app feeds.")
        case .unreadablePicture:
            String(localized: "This picture cannot be read. Choose another one.")
        case .cameraRefused:
            String(localized: "The camera is not allowed. You can allow it in Settings.")
        case .cameraUnavailable:
            String(localized: "This device has no camera that the app can use.")
        case .photosRefused:
            String(localized: "Saving to Photos is not allowed. You can allow it in Settings.")
        }
    }
}

extension Error {
    /// Whether Settings is the place where the user can mend it.
    var isPermission: Bool {
        let failure = self as? Failure
        return failure == .cameraRefused || failure == .photosRefused
    }

    /// The sentence to show.
    var sentence: String {
        switch self as? MattingError {
        case .trimapMissing:
            String(localized: "This model needs a trimap: paint where the edge is.")
        case .trimapShape:
            String(localized: "The trimap has another shape than the picture.")
        case .pictureSize(let size):
            String(
                localized:
                    "The picture has \(size.width) x \(size.height) pixels; each side must have 32 to 12,000."
            )
        case nil:
            localizedDescription
        }
    }
}
