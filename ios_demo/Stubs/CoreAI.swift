import Foundation

// Swift's own, from 6.2 on.
public struct Span<Element> {
    public subscript(position: Int) -> Element { fatalError() }
}

@available(iOS 27, *)
public struct SpecializationOptions: Sendable {
    public static var `default`: SpecializationOptions { fatalError() }
}

@available(iOS 27, *)
public struct AIModel: Sendable {
    public init(contentsOf url: URL, options: SpecializationOptions = .default) async throws {}
    public func loadFunction(named name: String) throws -> InferenceFunction? { fatalError() }
}

@available(iOS 27, *)
public struct InferenceFunction: Sendable {
    public struct Outputs {
        public mutating func remove(_ outputName: String) -> InferenceValue? { fatalError() }
    }
    public func run(inputs: [String: NDArray]) async throws -> Outputs { fatalError() }
}

@available(iOS 27, *)
public struct InferenceValue {
    public var ndArray: NDArray? { fatalError() }
}

// Not Sendable, which is the stricter reading.
@available(iOS 27, *)
public struct NDArray {
    public struct View<Element: BitwiseCopyable> {
        public func withUnsafePointer<R, E: Error>(
            _ body: (UnsafePointer<Element>, Span<Int>, Span<Int>) throws(E) -> R
        ) throws(E) -> R { fatalError() }
    }
    public init<Scalar: BitwiseCopyable>(scalars: some Sequence<Scalar>, shape: [Int]) {}
    public var shape: [Int] { fatalError() }
    public func view<T: BitwiseCopyable>(as type: T.Type = T.self) -> View<T> { fatalError() }
}
