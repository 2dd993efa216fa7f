package dev.edgemat.core.json

/** A JSON value, and the way to it for messages. */
class Json internal constructor(private val value: Any?, private val path: String) {
    operator fun get(key: String): Json {
        val members = value as? Map<*, *> ?: fail("no object")
        return Json(members[key] ?: if (key in members) null else MISSING, "$path.$key")
    }

    /** This value, or null where it is null or missing. */
    val orNull: Json? get() = takeUnless { value == null || value === MISSING }
    val string: String get() = value as? String ?: fail("no text")
    val boolean: Boolean get() = value as? Boolean ?: fail("neither true nor false")
    val double: Double get() = (value as? Number ?: fail("no number")).toDouble()
    val long: Long get() = value as? Long ?: fail("no whole number")
    val int: Int
        get() = long.also { if (it !in Int.MIN_VALUE..Int.MAX_VALUE) fail("too large") }.toInt()
    val list: List<Json>
        get() {
            val elements = value as? List<*> ?: fail("no list")
            return elements.mapIndexed { n, one -> Json(one, "$path[$n]") }
        }
    val keys: Set<String>
        get() {
            val members = value as? Map<*, *> ?: fail("no object")
            return members.keys.mapTo(LinkedHashSet()) { it as String }
        }

    fun fail(what: String): Nothing =
        throw JsonException("$path is ${if (value === MISSING) "missing" else what}")

    companion object {
        private val MISSING = Any()

        /** Reads one JSON text. */
        fun parse(text: String): Json = Json(JsonReader(text).read(), "the file")
    }
}

/** The text is no JSON, or not what is expected; the message names the place. */
class JsonException(message: String) : Exception(message)
