import Foundation
import Testing

@testable import MattingCore

@Suite struct ModelCatalogTests {
    private func entry(
        _ name: String, task: String, precision: String, channels: Int,
        suffix: String = "mlpackage"
    ) -> String {
        """
        {"name": "\(name)", "file": "\(name).\(suffix)", "task": "\(task)",
         "target": "coreml-\(precision)", "precision": "\(precision)", "sha256": "ab",
         "bytes": 12, "licence": "Apache-2.0", "data_notice": "none", "demonstration": false,
         "card": null, "golden": {"pixels": "p.u8", "alpha": "a.f32"},
         "feeding": {"layout": "image", "height": 1, "width": 2, "channels": \(channels),
           "stride": 16, "colour_order": "RGB", "scale": 0.00392156862745098,
           "trimap_channel": null}}
        """
    }

    @Test func readsFeedingsFromTheManifest() throws {
        let entries = [
            entry(
                "portrait-int8-coreai", task: "portrait", precision: "int8", channels: 3,
                suffix: "aimodel"),
            entry("portrait-fp16", task: "portrait", precision: "fp16", channels: 3),
            entry("portrait-int8", task: "portrait", precision: "int8", channels: 3),
            entry("trimap-fp16", task: "trimap", precision: "fp16", channels: 4),
        ]
        let text = #"{"schema_version": 1, "models": [\#(entries.joined(separator: ","))]}"#
        let catalog = try ModelCatalog(json: Data(text.utf8))
        let names = ["portrait-int8", "portrait-fp16", "portrait-int8-coreai"]
        #expect(catalog.models(for: .portrait).map(\.name) == names)
        let trimap = try #require(catalog.models(for: .trimap).first)
        #expect(trimap.feeding.needsTrimap)
        #expect(trimap.feeding.size == PixelSize(height: 1, width: 2))
        #expect(trimap.feeding.scale == Float(1) / 255)
    }

    @Test func readsHowPicturesAreFitted() throws {
        let unsaid = entry("net-int8", task: "trimap", precision: "int8", channels: 4)
        func feeding(_ entry: String) throws -> Feeding? {
            let text = #"{"schema_version": 1, "models": [\#(entry)]}"#
            return try ModelCatalog(json: Data(text.utf8)).models.first?.feeding
        }
        #expect(try feeding(unsaid)?.fitting == .tiles)
        let said = unsaid.replacing(#""scale""#, with: #""fit": "resize", "scale""#)
        #expect(try feeding(said)?.fitting == .resize)
        let unknown = unsaid.replacing(#""scale""#, with: #""fit": "squeeze", "scale""#)
        #expect(throws: DecodingError.self) { try feeding(unknown) }
    }

    /// `edgemat export --to ios_demo` wrote that file in Python's tests.
    @Test func readsWhatTheExportWrites() throws {
        let folder = Vectors.tests.appending(path: "written")
        let catalog = try ModelCatalog(
            json: try Data(contentsOf: folder.appending(path: "manifest.json")))
        #expect(catalog.models.map(\.name) == ["net-int8", "portrait-fp16", "portrait-int8"])
        let net = try #require(catalog.models(for: .trimap).first)
        #expect(net.golden == nil && net.feeding.needsTrimap && net.card == nil)
        let portrait = try #require(catalog.models(for: .portrait).first)
        #expect(portrait.isQuantized && portrait.file == "portrait-int8.mlpackage")
        #expect(portrait.feeding.layout == "image")
        #expect(portrait.feeding.size == PixelSize(height: 32, width: 48))
        #expect(portrait.golden?.pixels == "portrait-int8-pixels.bin")
        #expect(portrait.card?.purpose == "Tests.")
        #expect(portrait.sha256.count == 64 && portrait.bytes == 2)
    }

    @Test func refusesAnotherFormat() {
        #expect(throws: DecodingError.self) {
            try ModelCatalog(json: Data(#"{"schema_version": 2, "models": []}"#.utf8))
        }
    }

    @Test func readsRawGoldenFiles() throws {
        let feeding = Feeding(layout: "image", height: 1, width: 2, channels: 4, scale: 1 / 255)
        let input = Data([1, 2, 3, 128, 4, 5, 6, 255])
        let alpha = Data([0, 0, 0x80, 0x3f, 0, 0, 0, 0x3f])  // 1.0 and 0.5
        let golden = try #require(Golden(pixels: input, alpha: alpha, feeding: feeding))
        #expect(golden.image.bytes == [1, 2, 3, 4, 5, 6])
        #expect(golden.trimap?.values == [128, 255])
        #expect(golden.alpha.values == [1, 0.5])
        #expect(Golden(pixels: input, alpha: alpha + [0], feeding: feeding) == nil)
    }
}
