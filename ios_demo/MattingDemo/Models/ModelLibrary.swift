import Foundation
import MattingCore
import Observation

/// The models that were built into the app, and those that are loaded.
@MainActor @Observable
final class ModelLibrary {
    /// What the manifest lists, or why there is nothing.
    let catalog: Result<ModelCatalog, Failure>
    private let folder: ModelFolder
    private var loaded: [String: any AlphaPredictor] = [:]

    init(folder: ModelFolder) {
        self.folder = folder
        catalog = folder.catalog()
    }

    var models: [ModelEntry] { (try? catalog.get().models) ?? [] }

    /// The model for a task: int8 where there is one, Core AI's where there is no other.
    ///
    /// - Throws: `Failure.noModel` or `damagedModel`.
    func entry(for task: ModelEntry.Task) throws -> ModelEntry {
        guard let entry = try catalog.get().models(for: task).first(where: \.runsHere)
        else {
            throw Failure.noModel(task.rawValue)
        }
        return entry
    }

    /// The loaded model for a task; it is loaded once.
    ///
    /// - Throws: `Failure.noModel`, `damagedModel` or `unsupportedModel`, or Core ML's error.
    func model(for task: ModelEntry.Task) async throws -> any AlphaPredictor {
        let entry = try entry(for: task)
        if let known = loaded[entry.name] { return known }
        let model = try await folder.load(entry)
        loaded[entry.name] = model
        return model
    }

    /// The models that the benchmark runs: it asks Core ML where each operator is computed, which
    /// Core AI does not say.
    ///
    /// - Throws: `Failure.noModel` or `damagedModel`.
    func measurable(for task: ModelEntry.Task? = nil) throws -> [ModelEntry] {
        let entries = try catalog.get().models.filter { entry in
            !entry.isCoreAI && (task == nil || task == entry.task)
        }
        guard !entries.isEmpty else {
            throw Failure.noModel((task ?? .portrait).rawValue)
        }
        return entries
    }

    /// Where a model lies, for the benchmark.
    func file(of entry: ModelEntry) -> ModelFile { ModelFile(entry: entry, folder: folder) }
}

/// The folder that `edgemat export --to ios_demo` fills.
struct ModelFolder: Sendable {
    let url: URL

    /// The copy inside the app.
    static var bundled: ModelFolder {
        ModelFolder(url: Bundle.main.bundleURL.appending(path: "Models"))
    }

    func catalog() -> Result<ModelCatalog, Failure> {
        guard let text = try? Data(contentsOf: url.appending(path: "manifest.json")) else {
            return .failure(.noModel(ModelEntry.Task.portrait.rawValue))
        }
        guard let catalog = try? ModelCatalog(json: text) else {
            return .failure(.damagedModel("manifest.json"))
        }
        return catalog.models.isEmpty
            ? .failure(.noModel(ModelEntry.Task.portrait.rawValue)) : .success(catalog)
    }

    /// Loads a model for every unit that its framework likes, away from the main thread.
    fileprivate func load(_ entry: ModelEntry) async throws -> any AlphaPredictor {
        let file = ModelFile(entry: entry, folder: self)
        #if canImport(CoreAI)
            if entry.isCoreAI, #available(iOS 27, *) {
                return try await CoreAIModel(
                    file: try file.checked(layout: "NCHW"), feeding: entry.feeding)
            }
        #endif
        return try CoreMLModel(
            compiled: try await file.compiled(), feeding: entry.feeding, choice: .all)
    }
}

/// One model and the files that belong to it.
struct ModelFile: Sendable {
    let entry: ModelEntry
    let folder: ModelFolder

    /// The compiled package, after its content was compared with the manifest.
    ///
    /// - Throws: `Failure.damagedModel` or `unsupportedModel`, or Core ML's error.
    func compiled() async throws -> URL {
        try await CompiledModels.compiled(checked(layout: "image"), sha256: entry.sha256)
    }

    /// The file, after its content was compared with the manifest.
    ///
    /// - Parameter layout: What the caller can feed.
    /// - Throws: `Failure.damagedModel` or `unsupportedModel`.
    func checked(layout: String) throws -> URL {
        guard entry.feeding.layout == layout else { throw Failure.unsupportedModel(entry.name) }
        let file = folder.url.appending(path: entry.file)
        guard (try? CompiledModels.sha256(of: file)) == entry.sha256 else {
            throw Failure.damagedModel(entry.name)
        }
        return file
    }

    /// The picture and the matte that the model is checked against, if it has them.
    ///
    /// - Throws: `Failure.damagedModel`, or what reading a file throws.
    func golden() throws -> Golden? {
        guard let files = entry.golden else { return nil }
        let golden = Golden(
            pixels: try Data(contentsOf: folder.url.appending(path: files.pixels)),
            alpha: try Data(contentsOf: folder.url.appending(path: files.alpha)),
            feeding: entry.feeding)
        guard let golden else { throw Failure.damagedModel(entry.name) }
        return golden
    }
}

extension ModelEntry {
    /// Whether this phone has the framework that the file is for.
    var runsHere: Bool {
        guard isCoreAI else { return true }
        #if canImport(CoreAI)
            if #available(iOS 27, *) { return true }
        #endif
        return false
    }
}
