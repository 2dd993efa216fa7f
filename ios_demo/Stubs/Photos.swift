@_exported import Foundation

public enum PHAccessLevel: Int, Sendable { case addOnly, readWrite }
public enum PHAuthorizationStatus: Int, Sendable { case notDetermined, denied, authorized, limited }
public enum PHAssetResourceType: Int, Sendable { case photo }

public final class PHPhotoLibrary: @unchecked Sendable {
    public static func requestAuthorization(for level: PHAccessLevel) async
        -> PHAuthorizationStatus
    { fatalError() }
    public static func shared() -> PHPhotoLibrary { fatalError() }
    public func performChanges(_ change: @escaping @Sendable () -> Void) async throws {}
}

public final class PHAssetResourceCreationOptions {}
public final class PHAssetCreationRequest {
    public static func forAsset() -> Self { fatalError() }
    public func addResource(
        with type: PHAssetResourceType, data: Data, options: PHAssetResourceCreationOptions?
    ) {}
}
