@_exported import CoreGraphics
@_exported import Observation

// MARK: Views and builders

@MainActor @preconcurrency public protocol View {
    associatedtype Body: View
    @ViewBuilder @MainActor @preconcurrency var body: Body { get }
}

extension Never: View {
    public var body: Never { fatalError() }
}

/// A view without a body of its own.
public protocol Primitive {}
extension View where Self: Primitive {
    public var body: Never { fatalError() }
}

@resultBuilder public enum ViewBuilder {
    public static func buildExpression<V: View>(_ view: V) -> V { view }
    public static func buildBlock() -> EmptyView { EmptyView() }
    public static func buildBlock<V: View>(_ view: V) -> V { view }
    @_disfavoredOverload
    public static func buildBlock<each V: View>(_ views: repeat each V) -> TupleView { TupleView() }
    public static func buildIf<V: View>(_ view: V?) -> V? { view }
    public static func buildEither<A: View, B: View>(first: A) -> Either<A, B> { Either() }
    public static func buildEither<A: View, B: View>(second: B) -> Either<A, B> { Either() }
}

extension Optional: View where Wrapped: View {
    public var body: Never { fatalError() }
}

public struct TupleView: View, Primitive {}
public struct Either<A, B>: View, Primitive {}
public struct EmptyView: View, Primitive { public nonisolated init() {} }

public struct Group<Content: View>: View, Primitive {
    public nonisolated init(@ViewBuilder content: () -> Content) {}
}
public struct VStack<Content: View>: View, Primitive {
    public nonisolated init(
        alignment: HorizontalAlignment = .center, spacing: CGFloat? = nil,
        @ViewBuilder content: () -> Content
    ) {}
}
public struct HStack<Content: View>: View, Primitive {
    public nonisolated init(@ViewBuilder content: () -> Content) {}
}
public struct NavigationStack<Content: View>: View, Primitive {
    public nonisolated init(@ViewBuilder root: () -> Content) {}
}
public struct TabView<Content: View>: View, Primitive {
    public nonisolated init(@ViewBuilder content: () -> Content) {}
}
public struct Form<Content: View>: View, Primitive {
    public nonisolated init(@ViewBuilder content: () -> Content) {}
}
public struct List<Content: View>: View, Primitive {
    public nonisolated init<Data: RandomAccessCollection>(
        _ data: Data, @ViewBuilder rowContent: @escaping (Data.Element) -> Content
    ) where Data.Element: Identifiable {}
}
public struct Section<Content: View>: View, Primitive {
    public nonisolated init(@ViewBuilder content: () -> Content) {}
    public nonisolated init(_ title: LocalizedStringKey, @ViewBuilder content: () -> Content) {}
    @_disfavoredOverload
    public nonisolated init<S: StringProtocol>(_ title: S, @ViewBuilder content: () -> Content) {}
    public nonisolated init<H: View>(
        @ViewBuilder content: () -> Content, @ViewBuilder header: () -> H
    ) {}
    public nonisolated init<F: View>(
        @ViewBuilder content: () -> Content, @ViewBuilder footer: () -> F
    ) {}
}
public struct DisclosureGroup<Content: View>: View, Primitive {
    public nonisolated init(
        _ title: LocalizedStringKey, @ViewBuilder content: @escaping () -> Content
    ) {}
}
public struct ForEach<Data: RandomAccessCollection, ID: Hashable, Content> {
    /// For Charts, whose marks are repeated by the same type.
    public init(stub: Void) {}
}
extension ForEach: View, Primitive where Content: View {
    public nonisolated init(
        _ data: Data, @ViewBuilder content: @escaping (Data.Element) -> Content
    ) where Data.Element: Identifiable, ID == Data.Element.ID { self.init(stub: ()) }
    public nonisolated init(
        _ data: Data, id: KeyPath<Data.Element, ID>,
        @ViewBuilder content: @escaping (Data.Element) -> Content
    ) { self.init(stub: ()) }
}
public struct GeometryProxy { public var size: CGSize { fatalError() } }
public struct GeometryReader<Content: View>: View, Primitive {
    public nonisolated init(@ViewBuilder content: @escaping (GeometryProxy) -> Content) {}
}

// MARK: Text and controls

public struct LocalizedStringKey: ExpressibleByStringInterpolation, Equatable, Sendable {
    public init(stringLiteral value: String) {}
    public init(stringInterpolation: StringInterpolation) {}
    public struct StringInterpolation: StringInterpolationProtocol {
        public init(literalCapacity: Int, interpolationCount: Int) {}
        public mutating func appendLiteral(_ literal: String) {}
        public mutating func appendInterpolation(_ text: String) {}
        public mutating func appendInterpolation<T: CVarArg>(_ value: T) {}
        public mutating func appendInterpolation<T: CVarArg>(_ value: T, specifier: String) {}
    }
}

public struct Text: View, Primitive {
    public nonisolated init(_ key: LocalizedStringKey) {}
    public nonisolated init(verbatim content: String) {}
    public nonisolated init<F: FormatStyle>(_ input: F.FormatInput, format: F)
    where F.FormatInput: Equatable, F.FormatOutput == String {}
    public nonisolated func monospacedDigit() -> Text { self }
}
public struct Label: View, Primitive {
    public nonisolated init(_ title: LocalizedStringKey, systemImage: String) {}
}
public struct LabeledContent<Content: View>: View, Primitive {
    public nonisolated init(_ title: LocalizedStringKey, @ViewBuilder content: () -> Content) {}
}
extension LabeledContent where Content == Text {
    public nonisolated init<S: StringProtocol>(_ title: LocalizedStringKey, value: S) {}
}
public enum ButtonRole: Sendable { case destructive, cancel }
public struct Button: View, Primitive {
    public nonisolated init(
        _ title: LocalizedStringKey, role: ButtonRole? = nil,
        action: @escaping @MainActor () -> Void
    ) {}
    public nonisolated init(
        _ title: LocalizedStringKey, systemImage: String, action: @escaping @MainActor () -> Void
    ) {}
}
public struct Picker<Value: Hashable, Content: View>: View, Primitive {
    public nonisolated init(
        _ title: LocalizedStringKey, selection: Binding<Value>, @ViewBuilder content: () -> Content
    ) {}
}
public struct Slider<Title: View>: View, Primitive {
    public nonisolated init<V: BinaryFloatingPoint>(
        value: Binding<V>, in bounds: ClosedRange<V>, @ViewBuilder label: () -> Title
    ) where V.Stride: BinaryFloatingPoint {}
}
public struct ProgressView<Title: View>: View, Primitive {
    public nonisolated init<V: BinaryFloatingPoint>(
        value: V?, total: V = 1, @ViewBuilder label: () -> Title) {}
}
extension ProgressView where Title == Text {
    public nonisolated init(_ title: LocalizedStringKey) {}
}
public struct ContentUnavailableView<Title: View, Description: View, Actions: View>: View, Primitive
{
    public nonisolated init(
        @ViewBuilder label: () -> Title, @ViewBuilder description: () -> Description,
        @ViewBuilder actions: () -> Actions
    ) {}
}
extension ContentUnavailableView
where Title == Label, Description == Text?, Actions == EmptyView {
    public nonisolated init(
        _ title: LocalizedStringKey, systemImage: String, description: Text? = nil) {}
}
public protocol Transferable {}
extension Data: Transferable {}
extension URL: Transferable {}
public struct ShareLink: View, Primitive {
    public nonisolated init(item: URL) {}
}

// MARK: Drawing

public struct Image: View, Primitive {
    public nonisolated init(_ image: CGImage, scale: CGFloat, label: Text) {}
    public nonisolated init(decorative image: CGImage, scale: CGFloat) {}
    public nonisolated func resizable() -> Image { self }
}
public protocol ShapeStyle: Sendable {}
public struct Color: View, Primitive, ShapeStyle {
    public static let clear = Color(), secondary = Color(), orange = Color()
    public nonisolated func opacity(_ opacity: Double) -> Color { self }
}
public struct HierarchicalShapeStyle: ShapeStyle {}
public struct Material: ShapeStyle {}
extension ShapeStyle where Self == HierarchicalShapeStyle {
    public static var secondary: HierarchicalShapeStyle { fatalError() }
}
extension ShapeStyle where Self == Color {
    public static var orange: Color { fatalError() }
}
extension ShapeStyle where Self == Material {
    public static var bar: Material { fatalError() }
}
public protocol Shape: Sendable {}
public struct Rectangle: Shape {}
extension Shape where Self == Rectangle {
    public static var rect: Rectangle { fatalError() }
    public static func rect(cornerRadius: CGFloat) -> Rectangle { fatalError() }
}
public struct Path: Sendable { public init(_ rect: CGRect) {} }
public struct GraphicsContext {
    public struct Shading { public static func color(_ color: Color) -> Shading { fatalError() } }
    public func fill(_ path: Path, with shading: Shading) {}
}
public struct Canvas: View, Primitive {
    public nonisolated init(renderer: @escaping (inout GraphicsContext, CGSize) -> Void) {}
}

// MARK: State

@propertyWrapper public struct State<Value> {
    public init(wrappedValue: Value) {}
    public init(initialValue: Value) {}
    public var wrappedValue: Value { get { fatalError() } nonmutating set {} }
    public var projectedValue: Binding<Value> { fatalError() }
}
extension State: Sendable where Value: Sendable {}
extension State where Value: ExpressibleByNilLiteral {
    public init() {}
}
@propertyWrapper @dynamicMemberLookup public struct Binding<Value> {
    public init() {}
    public var wrappedValue: Value { get { fatalError() } nonmutating set {} }
    public var projectedValue: Binding<Value> { fatalError() }
    public subscript<Subject>(dynamicMember path: WritableKeyPath<Value, Subject>)
        -> Binding<Subject>
    { fatalError() }
}
@propertyWrapper @dynamicMemberLookup public struct Bindable<Value: AnyObject & Observable> {
    public init(wrappedValue: Value) {}
    public var wrappedValue: Value { get { fatalError() } nonmutating set {} }
    public var projectedValue: Bindable<Value> { fatalError() }
    public subscript<Subject>(dynamicMember path: ReferenceWritableKeyPath<Value, Subject>)
        -> Binding<Subject>
    { fatalError() }
}
@propertyWrapper public struct Environment<Value> {
    public init(_ path: KeyPath<EnvironmentValues, Value>) {}
    public init(_ type: Value.Type) where Value: AnyObject & Observable {}
    public var wrappedValue: Value { fatalError() }
}
public struct EnvironmentValues { public var openURL: OpenURLAction { fatalError() } }
@MainActor public struct OpenURLAction { public func callAsFunction(_ url: URL) {} }

// MARK: App

@MainActor @preconcurrency public protocol Scene {}
public struct WindowGroup<Content: View>: Scene {
    public nonisolated init(@ViewBuilder content: () -> Content) {}
}
@resultBuilder public enum SceneBuilder {
    public static func buildBlock<S: Scene>(_ scene: S) -> S { scene }
}
@MainActor @preconcurrency public protocol App {
    associatedtype Body: Scene
    @SceneBuilder @MainActor @preconcurrency var body: Body { get }
    @MainActor @preconcurrency init()
}
extension App { @MainActor public static func main() {} }

@MainActor @preconcurrency public protocol UIViewControllerRepresentable: View, Primitive {
    associatedtype UIViewControllerType
    associatedtype Coordinator = Void
    typealias Context = RepresentableContext<Self>
    @MainActor func makeUIViewController(context: Context) -> UIViewControllerType
    @MainActor func updateUIViewController(_ controller: UIViewControllerType, context: Context)
    @MainActor func makeCoordinator() -> Coordinator
}
@MainActor public struct RepresentableContext<R: UIViewControllerRepresentable> {
    public var coordinator: R.Coordinator { fatalError() }
}

// MARK: Toolbars

@MainActor @preconcurrency public protocol ToolbarContent {}
public struct ToolbarItemPlacement: Sendable {
    public static let topBarLeading = Self(), topBarTrailing = Self()
    public static let cancellationAction = Self(), confirmationAction = Self()
}
public struct ToolbarItem<Content: View>: ToolbarContent {
    public nonisolated init(placement: ToolbarItemPlacement, @ViewBuilder content: () -> Content) {}
}
public struct ToolbarItemGroup<Content: View>: ToolbarContent {
    public nonisolated init(placement: ToolbarItemPlacement, @ViewBuilder content: () -> Content) {}
}
public struct ToolbarTuple: ToolbarContent {}
@resultBuilder public enum ToolbarContentBuilder {
    public static func buildExpression<C: ToolbarContent>(_ content: C) -> C { content }
    public static func buildBlock<each C: ToolbarContent>(_ content: repeat each C)
        -> some ToolbarContent
    { ToolbarTuple() }
}

// MARK: Modifiers

public enum HorizontalAlignment: Sendable { case leading, center, trailing }
public enum VerticalEdge: Sendable { case top, bottom }
public enum TitleDisplayMode: Sendable { case inline, large }
public struct SegmentedStyle { }
public protocol PickerStyle {}
extension SegmentedStyle: PickerStyle {}
extension PickerStyle where Self == SegmentedStyle {
    public static var segmented: SegmentedStyle { fatalError() }
}
public protocol LabelStyle {}
public struct IconOnlyStyle: LabelStyle {}
extension LabelStyle where Self == IconOnlyStyle {
    public static var iconOnly: IconOnlyStyle { fatalError() }
}
public struct Font: Sendable {
    public static let footnote = Font()
    public func monospacedDigit() -> Font { self }
}
public struct SensoryFeedback: Equatable, Sendable { public static let success = SensoryFeedback() }

public protocol Gesture {}
public struct DragGesture: Gesture {
    public struct Value: Sendable { public var location: CGPoint { fatalError() } }
    public nonisolated init(minimumDistance: CGFloat = 10) {}
    public func onChanged(_ action: @escaping @MainActor (Value) -> Void) -> DragGesture { self }
    public func onEnded(_ action: @escaping @MainActor (Value) -> Void) -> DragGesture { self }
}

extension View {
    public func environment<T: AnyObject & Observable>(_ object: T?) -> some View { self }
    public func tabItem<V: View>(@ViewBuilder _ label: () -> V) -> some View { self }
    public func tag<V: Hashable>(_ tag: V) -> some View { self }
    public func padding() -> some View { self }
    public func frame(maxWidth: CGFloat? = nil, maxHeight: CGFloat? = nil) -> some View { self }
    public func frame(height: CGFloat) -> some View { self }
    public func safeAreaInset<V: View>(edge: VerticalEdge, @ViewBuilder content: () -> V)
        -> some View
    { self }
    public func ignoresSafeArea() -> some View { self }
    public func navigationTitle(_ title: LocalizedStringKey) -> some View { self }
    public func navigationBarTitleDisplayMode(_ mode: TitleDisplayMode) -> some View { self }
    public func toolbar<C: ToolbarContent>(@ToolbarContentBuilder content: () -> C) -> some View {
        self
    }
    @_disfavoredOverload
    public func toolbar<V: View>(@ViewBuilder content: () -> V) -> some View { self }
    public func onChange<V: Equatable>(of value: V, _ action: @escaping @MainActor () -> Void)
        -> some View
    { self }
    public func fullScreenCover<V: View>(
        isPresented: Binding<Bool>, @ViewBuilder content: @escaping () -> V
    ) -> some View { self }
    public func fullScreenCover<Item: Identifiable, V: View>(
        item: Binding<Item?>, @ViewBuilder content: @escaping (Item) -> V
    ) -> some View { self }
    public func alert<T, A: View, M: View>(
        _ title: LocalizedStringKey, isPresented: Binding<Bool>, presenting data: T?,
        @ViewBuilder actions: (T) -> A, @ViewBuilder message: (T) -> M
    ) -> some View { self }
    public func alert<V: View>(
        _ title: LocalizedStringKey, isPresented: Binding<Bool>, @ViewBuilder actions: () -> V
    ) -> some View { self }
    public func task(@_inheritActorContext _ action: @escaping @Sendable () async -> Void)
        -> some View
    { self }
    public func task<ID: Equatable>(
        id: ID, @_inheritActorContext _ action: @escaping @Sendable () async -> Void
    ) -> some View { self }
    public func background<S: ShapeStyle>(_ style: S) -> some View { self }
    public func background<V: View>(@ViewBuilder content: () -> V) -> some View { self }
    public func overlay<V: View>(@ViewBuilder content: () -> V) -> some View { self }
    public func clipShape<S: Shape>(_ shape: S) -> some View { self }
    public func contentShape<S: Shape>(_ shape: S) -> some View { self }
    public func gesture<G: Gesture>(_ gesture: G) -> some View { self }
    public func scaledToFit() -> some View { self }
    public func disabled(_ disabled: Bool) -> some View { self }
    public func font(_ font: Font?) -> some View { self }
    public func foregroundStyle<S: ShapeStyle>(_ style: S) -> some View { self }
    public func pickerStyle<S: PickerStyle>(_ style: S) -> some View { self }
    public func labelStyle<S: LabelStyle>(_ style: S) -> some View { self }
    public func sensoryFeedback<T: Equatable>(
        _ feedback: SensoryFeedback, trigger: T, condition: @escaping (T, T) -> Bool
    ) -> some View { self }
    public func accessibilityDirectTouch(_ isDirectTouchArea: Bool = true) -> some View { self }
    public func accessibilityHidden(_ hidden: Bool) -> some View { self }
    public func accessibilityLabel(_ label: LocalizedStringKey) -> some View { self }
    public func accessibilityHint(_ hint: LocalizedStringKey) -> some View { self }
}
