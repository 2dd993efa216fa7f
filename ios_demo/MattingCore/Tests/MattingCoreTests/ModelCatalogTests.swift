import Foundation
import Testing

@testable import MattingCore

@Suite struct ModelCatalogTests {
    private func entry(_ name: String, task: String, target: String, channels: Int) -> String {
        """
        {"name": "\(name)", "file": "\(name).mlpackage",
         "golden": {"input": "\(name)-golden.u8", "alpha": "\(name)-golden.f32"},
         "manifest": {"task": "\(task)", "target": "\(target)", "payload_sha256": "ab",
           "payload_bytes": 12, "licence": "Apache-2.0", "data_notice": "none",
           "demonstration": false, "card": null, "seed": 4,
           "feeding": {"layout": "image", "height": 1, "width": 2, "channels": \(channels),
             "stride": 16, "colour_order": "RGB", "scale": 0.00392156862745098,
             "trimap_channel": null}}}
        """
    }

    @Test func readsFeedingsFromTheManifest() throws {
        let entries = [
            entry("portrait-fp16", task: "portrait", target: "coreml-fp16", channels: 3),
            entry("portrait-int8", task: "portrait", target: "coreml-w8a8", channels: 3),
            entry("trimap-fp16", task: "trimap", target: "coreml-fp16", channels: 4),
        ]
        let text = #"{"schema_version": 1, "models": [\#(entries.joined(separator: ","))]}"#
        let catalog = try ModelCatalog(json: Data(text.utf8))
        #expect(catalog.models(for: .portrait).map(\.name) == ["portrait-int8", "portrait-fp16"])
        let trimap = try #require(catalog.models(for: .trimap).first)
        #expect(trimap.manifest.feeding.needsTrimap)
        #expect(trimap.manifest.feeding.size == PixelSize(height: 1, width: 2))
        #expect(trimap.manifest.feeding.scale == Float(1) / 255)
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
        let golden = try #require(Golden(input: input, alpha: alpha, feeding: feeding))
        #expect(golden.image.bytes == [1, 2, 3, 4, 5, 6])
        #expect(golden.trimap?.values == [128, 255])
        #expect(golden.alpha.values == [1, 0.5])
        #expect(Golden(input: input, alpha: alpha + [0], feeding: feeding) == nil)
    }
}
