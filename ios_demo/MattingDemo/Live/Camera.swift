import AVFoundation
import MattingCore

/// The camera as a stream of upright pictures.
actor Camera {
    enum Side { case front, back }

    private let session = AVCaptureSession()
    private let queue = DispatchQueue(label: "camera frames")
    /// Kept here, because the session's output does not.
    private var receiver: FrameReceiver?

    /// Asks for the camera when that has not been done yet.
    ///
    /// - Throws: `Failure.cameraRefused`.
    static func askForPermission() async throws {
        guard await AVCaptureDevice.requestAccess(for: .video) else {
            throw Failure.cameraRefused
        }
    }

    /// Starts the camera, which stops when nobody takes the pictures any more. While a picture is
    /// being worked on, newer ones replace each other: none waits in line.
    ///
    /// - Throws: `Failure.cameraRefused` or `cameraUnavailable`, or the session's error.
    func pictures(from side: Side) async throws -> AsyncStream<RGBImage> {
        try await Self.askForPermission()
        let (stream, continuation) = AsyncStream.makeStream(
            of: RGBImage.self, bufferingPolicy: .bufferingNewest(1))
        let receiver = FrameReceiver(continuation: continuation)
        try configure(side, receiver: receiver)
        self.receiver = receiver
        continuation.onTermination = { _ in
            Task { await self.stop(receiver) }
        }
        session.startRunning()
        return stream
    }

    /// Stops the camera unless someone else takes its pictures by now: when it is turned, the new
    /// pictures may begin before the end of the old ones is heard of.
    private func stop(_ ended: FrameReceiver) {
        guard ended === receiver else { return }
        session.stopRunning()
        receiver = nil
    }

    private func configure(_ side: Side, receiver: FrameReceiver) throws {
        guard
            let device = AVCaptureDevice.default(
                .builtInWideAngleCamera, for: .video, position: side == .front ? .front : .back)
        else { throw Failure.cameraUnavailable }
        let input = try AVCaptureDeviceInput(device: device)
        let output = AVCaptureVideoDataOutput()
        output.videoSettings = [
            kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_32BGRA
        ]
        output.alwaysDiscardsLateVideoFrames = true
        output.setSampleBufferDelegate(receiver, queue: queue)

        session.beginConfiguration()
        defer { session.commitConfiguration() }
        session.inputs.forEach(session.removeInput)
        session.outputs.forEach(session.removeOutput)
        // The model looks at about 288 x 288 pixels, and every pixel more is composited for
        // every frame.
        session.sessionPreset = .vga640x480
        guard session.canAddInput(input), session.canAddOutput(output) else {
            throw Failure.cameraUnavailable
        }
        session.addInput(input)
        session.addOutput(output)
        if let connection = output.connection(with: .video) {
            let upright = 90.0
            if connection.isVideoRotationAngleSupported(upright) {
                connection.videoRotationAngle = upright
            }
            if side == .front, connection.isVideoMirroringSupported {
                connection.automaticallyAdjustsVideoMirroring = false
                connection.isVideoMirrored = true
            }
        }
    }
}

/// Takes frames off the camera's queue.
private final class FrameReceiver: NSObject, AVCaptureVideoDataOutputSampleBufferDelegate,
    Sendable
{
    private let continuation: AsyncStream<RGBImage>.Continuation

    init(continuation: AsyncStream<RGBImage>.Continuation) {
        self.continuation = continuation
    }

    func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer,
        from connection: AVCaptureConnection
    ) {
        // Copied at once: the camera has few buffers and wants each back.
        guard let buffer = sampleBuffer.imageBuffer, let picture = RGBImage(buffer) else { return }
        continuation.yield(picture)
    }
}
