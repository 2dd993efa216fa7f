import MattingCore
import PhotosUI
import SwiftUI

/// Pick or take a photograph, cut it out, and give it another background.
struct PhotoScreen: View {
    @Environment(ModelLibrary.self) private var library
    @State private var editor = PhotoEditor()
    @State private var picked: PhotosPickerItem?
    @State private var isTakingPhoto = false
    @State private var painting: TrimapPainting?

    var body: some View {
        NavigationStack {
            stage
                .padding()
                .frame(maxWidth: .infinity, maxHeight: .infinity)
                .safeAreaInset(edge: .bottom) {
                    if editor.hasMatte { EffectBar(editor: editor) }
                }
                .navigationTitle("Photo")
                .toolbar { toolbar }
        }
        .onChange(of: picked) {
            Task { await open(picked) }
        }
        .fullScreenCover(isPresented: $isTakingPhoto) {
            CameraPicker { data in
                isTakingPhoto = false
                guard let data else { return }
                Task { await editor.open(data, library: library) }
            }
            .ignoresSafeArea()
        }
        .fullScreenCover(item: $painting) { current in
            TrimapEditor(painting: current) { trimap in
                painting = nil
                guard let trimap else { return }
                Task { await editor.refine(with: trimap, library: library) }
            }
        }
        .alert(
            "That did not work", isPresented: $editor.hasProblem, presenting: editor.problem
        ) { error in
            Button("Close", role: .cancel) {}
            if error.isPermission { SettingsButton() }
        } message: { error in
            Text(verbatim: error.sentence)
        }
    }

    @ViewBuilder private var stage: some View {
        switch editor.stage {
        case .empty:
            if case .failure(let failure) = library.catalog {
                FailureView(error: failure)
            } else {
                ContentUnavailableView(
                    "Choose a photograph", systemImage: "person.crop.rectangle",
                    description: Text(
                        "People are cut out at once. For hair, fur or plants, paint where the edge is."
                    ))
            }
        case .working:
            ProgressView("Cutting out")
        case .done(let image):
            PictureView(image: image, label: "The result")
        case .failed(let error):
            FailureView(error: error)
        }
    }

    @ToolbarContentBuilder private var toolbar: some ToolbarContent {
        ToolbarItemGroup(placement: .topBarLeading) {
            PhotosPicker(selection: $picked, matching: .images) {
                Label("Choose a photograph", systemImage: "photo.on.rectangle")
            }
            Button("Take a photograph", systemImage: "camera") {
                Task { await takePhoto() }
            }
        }
        ToolbarItemGroup(placement: .topBarTrailing) {
            if editor.hasMatte {
                Button("Refine the edge", systemImage: "wand.and.stars") {
                    Task { await editor.refine(library: library) }
                }
            }
            if editor.picture != nil {
                Button("Paint the edge", systemImage: "paintbrush") {
                    Task { await startPainting() }
                }
            }
            if editor.hasMatte {
                SaveButton(editor: editor)
            }
        }
    }

    private func open(_ item: PhotosPickerItem?) async {
        guard let item else { return }
        do {
            guard let data = try await item.loadTransferable(type: Data.self) else {
                throw Failure.unreadablePicture
            }
            await editor.open(data, library: library)
        } catch {
            editor.fail(error)
        }
    }

    private func startPainting() async {
        do {
            // Said before somebody paints for nothing.
            _ = try library.entry(for: .trimap)
            painting = try await editor.painting()
        } catch {
            editor.fail(error)
        }
    }

    private func takePhoto() async {
        do {
            try await Camera.askForPermission()
            guard CameraPicker.isAvailable else { throw Failure.cameraUnavailable }
            isTakingPhoto = true
        } catch {
            editor.fail(error)
        }
    }
}
