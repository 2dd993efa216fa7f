package dev.edgemat.core.matting

import dev.edgemat.core.json.JsonException
import java.io.File
import java.security.MessageDigest
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import org.junit.Assume.assumeTrue

class ModelManifestTest {
    @Test
    fun `a model's feeding is read, nothing of it is assumed`() {
        val model = ModelManifest.parse(manifest()).models("trimap").single()
        val feeding = Feeding(Layout.NCHW, 320, 480, 4, scale = 0.5f, trimapChannel = 3)
        assertEquals(feeding, model.feeding)
        assertNull(model.golden)
    }

    @Test
    fun `a manifest says how pictures are fitted, or leaves it to the app`() {
        val unsaid = ModelManifest.parse(manifest()).models("trimap").single().feeding
        assertEquals(Fit.TILES, unsaid.fitting)
        assertEquals(Fit.LETTERBOX, unsaid.copy(trimapChannel = null).fitting)
        val said = manifest().replace("\"scale\"", "\"fit\": \"resize\", \"scale\"")
        assertEquals(Fit.RESIZE, ModelManifest.parse(said).models("trimap").single().feeding.fitting)
    }

    @Test
    fun `the quickest precision comes first`() {
        val one = manifest("fp32").trimEnd().removeSuffix("]}")
        val both = "$one, ${entry("int8")}]}"
        assertEquals(listOf("int8", "fp32"), ModelManifest.parse(both).models("trimap").map { it.precision })
        assertEquals(emptyList(), ModelManifest.parse(both).models("portrait"))
    }

    @Test
    fun `what this app cannot feed is refused`() {
        for (wrong in listOf(
            manifest().replace("NCHW", "image"),
            manifest().replace("RGB", "BGR"),
            manifest().replace("\"scale\"", "\"fit\": \"squeeze\", \"scale\""),
            manifest().replace("\"schema_version\": 1", "\"schema_version\": 2"),
            manifest().replace("\"file\"", "\"payload\""),
        )) {
            assertFailsWith<JsonException> { ModelManifest.parse(wrong) }
        }
    }

    @Test
    fun `what edgemat exported is whole`() {
        val folder = File(System.getProperty("edgemat.models") ?: "../app/src/main/assets/models")
        assumeTrue("no models were exported", folder.resolve(ModelManifest.FILE).exists())
        val manifest = ModelManifest.parse(folder.resolve(ModelManifest.FILE).readText())
        for (model in manifest.models) {
            val content = folder.resolve(model.file).readBytes()
            assertEquals(model.bytes, content.size.toLong())
            val hash = MessageDigest.getInstance("SHA-256").digest(content)
            assertEquals(model.sha256, hash.joinToString("") { "%02x".format(it) })
            val golden = assertNotNull(model.golden)
            val pixels = model.feeding.size.pixels.toLong()
            assertEquals(pixels * model.feeding.channels, folder.resolve(golden.pixels).length())
            assertEquals(pixels * Float.SIZE_BYTES, folder.resolve(golden.alpha).length())
        }
    }

    private fun manifest(precision: String = "int8") =
        """{"schema_version": 1, "models": [${entry(precision)}]}"""

    private fun entry(precision: String) = """
        {
          "name": "trimap-$precision", "file": "trimap.tflite", "task": "trimap",
          "precision": "$precision", "sha256": "ab", "bytes": 5000,
          "feeding": {
            "layout": "NCHW", "height": 320, "width": 480, "channels": 4, "stride": 32,
            "colour_order": "RGB", "scale": 0.5, "trimap_channel": 3
          },
          "golden": null, "licence": "Apache-2.0", "data_notice": ""
        }
    """
}
