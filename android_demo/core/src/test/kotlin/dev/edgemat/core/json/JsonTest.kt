package dev.edgemat.core.json

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull
import kotlin.test.assertTrue

class JsonTest {
    @Test
    fun `every kind of value is read`() {
        val json = Json.parse("""{"a": [1, -2.5e3, true, null, "é\n\u0041\"\\"], "b": {}}""")
        val list = json["a"].list
        assertEquals(1, list[0].int)
        assertEquals(-2500.0, list[1].double)
        assertEquals(true, list[2].boolean)
        assertNull(list[3].orNull)
        assertEquals("é\nA\"\\", list[4].string)
        assertEquals(emptySet(), json["b"].keys)
        assertNull(json["b"]["missing"].orNull)
    }

    @Test
    fun `what is no JSON is refused`() {
        val wrong = listOf(
            "", "nonsense", "{", "[1,]", "[1 2]", "{\"a\" 1}", "01", "\"\\x\"", "\"\\u12\"", "1 2",
            "1e999", "\"open", "[".repeat(10_000),
        )
        for (text in wrong) assertFailsWith<JsonException>(text) { Json.parse(text) }
    }

    @Test
    fun `a message names the place`() {
        val json = Json.parse("""{"models": [{"file": 3}]}""")
        val wrongKind = assertFailsWith<JsonException> { json["models"].list[0]["file"].string }
        assertEquals("the file.models[0].file is no text", wrongKind.message)
        val missing = assertFailsWith<JsonException> { json["models"].list[0]["name"].string }
        assertEquals("the file.models[0].name is missing", missing.message)
        assertFailsWith<JsonException> { json["models"]["x"] }
        assertFailsWith<JsonException> { Json.parse("3000000000").int }
    }

    @Test
    fun `what is written can be read`() {
        val value = mapOf("text" to "tab\t\"quote\" \\ ü", "numbers" to listOf(1, 2L, 0.1, 1e-7), "none" to null)
        val json = Json.parse(writeJson(value))
        assertEquals("tab\t\"quote\" \\ ü", json["text"].string)
        assertEquals(listOf(1.0, 2.0, 0.1, 1e-7), json["numbers"].list.map { it.double })
        assertNull(json["none"].orNull)
        assertTrue("\n  \"numbers\": [1, 2, 0.1, 1.0E-7]" in writeJson(value))
        assertEquals("[]", writeJson(emptyList<Any>()))
    }

    @Test
    fun `JSON has no infinity`() {
        assertFailsWith<IllegalArgumentException> { writeJson(listOf("x", Double.NaN)) }
        assertFailsWith<IllegalArgumentException> { writeJson(Double.POSITIVE_INFINITY) }
    }
}
