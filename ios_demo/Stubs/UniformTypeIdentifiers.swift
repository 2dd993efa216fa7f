public struct UTType: Sendable {
    public static let png = UTType()
    public var identifier: String { fatalError() }
}
