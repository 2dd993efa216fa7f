@_exported import CoreVideo
@_exported import Dispatch

public struct AVMediaType: Sendable { public static let video = AVMediaType() }

public final class AVCaptureDevice: @unchecked Sendable {
    public enum Position: Sendable { case front, back }
    public struct DeviceType: Sendable { public static let builtInWideAngleCamera = DeviceType() }
    public static func requestAccess(for media: AVMediaType) async -> Bool { fatalError() }
    public static func `default`(
        _ type: DeviceType, for media: AVMediaType?, position: Position
    ) -> AVCaptureDevice? { fatalError() }
}

open class AVCaptureInput {
    init() {}
}
open class AVCaptureOutput {
    init() {}
    public func connection(with media: AVMediaType) -> AVCaptureConnection? { fatalError() }
}

public final class AVCaptureDeviceInput: AVCaptureInput {
    public init(device: AVCaptureDevice) throws {}
}

public final class AVCaptureConnection {
    public func isVideoRotationAngleSupported(_ angle: CGFloat) -> Bool { fatalError() }
    public var videoRotationAngle: CGFloat = 0
    public var isVideoMirroringSupported: Bool { fatalError() }
    public var automaticallyAdjustsVideoMirroring = true
    public var isVideoMirrored = false
}

public final class CMSampleBuffer {
    public var imageBuffer: CVImageBuffer? { fatalError() }
}

public protocol AVCaptureVideoDataOutputSampleBufferDelegate: NSObjectProtocol {
    func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer,
        from connection: AVCaptureConnection)
}

public final class AVCaptureVideoDataOutput: AVCaptureOutput {
    public override init() {}
    public var videoSettings: [String: Any]! = [:]
    public var alwaysDiscardsLateVideoFrames = true
    public func setSampleBufferDelegate(
        _ delegate: (any AVCaptureVideoDataOutputSampleBufferDelegate)?, queue: DispatchQueue?
    ) {}
}

public final class AVCaptureSession {
    public struct Preset: Sendable { public static let vga640x480 = Preset() }
    public init() {}
    public var sessionPreset = Preset()
    public var inputs: [AVCaptureInput] { fatalError() }
    public var outputs: [AVCaptureOutput] { fatalError() }
    public func canAddInput(_ input: AVCaptureInput) -> Bool { fatalError() }
    public func canAddOutput(_ output: AVCaptureOutput) -> Bool { fatalError() }
    public func addInput(_ input: AVCaptureInput) {}
    public func addOutput(_ output: AVCaptureOutput) {}
    public func removeInput(_ input: AVCaptureInput) {}
    public func removeOutput(_ output: AVCaptureOutput) {}
    public func beginConfiguration() {}
    public func commitConfiguration() {}
    public func startRunning() {}
    public func stopRunning() {}
}
