import SwiftUI

public protocol ChartContent {}
public protocol Plottable {}
extension Double: Plottable {}
extension Int: Plottable {}

@resultBuilder public enum ChartContentBuilder {
    public static func buildBlock<each C: ChartContent>(_ content: repeat each C) -> AnyMark {
        AnyMark()
    }
}

public struct AnyMark: ChartContent {}

public struct PlottableValue<Value: Plottable> {
    public static func value(_ label: LocalizedStringKey, _ value: Value) -> PlottableValue {
        fatalError()
    }
}

public struct Chart<Content: ChartContent>: View, Primitive {
    public nonisolated init(@ChartContentBuilder content: () -> Content) {}
}

public struct BarMark: ChartContent {
    public init<X: Plottable, Y: Plottable>(
        xStart: PlottableValue<X>, xEnd: PlottableValue<X>, y: PlottableValue<Y>
    ) {}
}
public struct LineMark: ChartContent {
    public init<X: Plottable, Y: Plottable>(x: PlottableValue<X>, y: PlottableValue<Y>) {}
}
public struct RuleMark: ChartContent {
    public init<X: Plottable>(x: PlottableValue<X>) {}
}

extension ChartContent {
    public func foregroundStyle<S: ShapeStyle>(_ style: S) -> some ChartContent { self }
}

extension ForEach: ChartContent where Content: ChartContent {
    public init(_ data: Data, @ChartContentBuilder content: @escaping (Data.Element) -> Content)
    where Data.Element: Identifiable, ID == Data.Element.ID { self.init(stub: ()) }
    public init(
        _ data: Data, id: KeyPath<Data.Element, ID>,
        @ChartContentBuilder content: @escaping (Data.Element) -> Content
    ) { self.init(stub: ()) }
}

extension View {
    public func chartXAxisLabel(_ label: LocalizedStringKey) -> some View { self }
    public func chartYAxisLabel(_ label: LocalizedStringKey) -> some View { self }
}
