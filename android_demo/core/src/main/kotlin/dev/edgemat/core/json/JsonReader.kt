package dev.edgemat.core.json

/** Reads JSON (RFC 8259) into maps, lists, texts, longs, doubles, booleans and null. */
internal class JsonReader(private val text: String) {
    private var at = 0

    fun read(): Any? {
        val value = value(0)
        skipSpace()
        if (at < text.length) fail("more after the end")
        return value
    }

    private fun value(depth: Int): Any? {
        if (depth > MAX_DEPTH) fail("nested too deep")
        skipSpace()
        return when (peek()) {
            '{' -> members(depth)
            '[' -> elements(depth)
            '"' -> string()
            't' -> word("true", true)
            'f' -> word("false", false)
            'n' -> word("null", null)
            else -> number()
        }
    }

    private fun members(depth: Int): Map<String, Any?> {
        val result = LinkedHashMap<String, Any?>()
        series('}') {
            skipSpace()
            if (peek() != '"') fail("a name is missing")
            val name = string()
            skipSpace()
            take(':')
            result[name] = value(depth + 1)
        }
        return result
    }

    private fun elements(depth: Int): List<Any?> {
        val result = ArrayList<Any?>()
        series(']') { result += value(depth + 1) }
        return result
    }

    private inline fun series(end: Char, one: () -> Unit) {
        at++
        skipSpace()
        if (peek() == end) {
            at++
            return
        }
        while (true) {
            one()
            skipSpace()
            if (peek() == end) break
            take(',')
        }
        at++
    }

    private fun string(): String {
        take('"')
        val result = StringBuilder()
        while (true) {
            val char = next()
            when {
                char == '"' -> return result.toString()
                char == '\\' -> result.append(escaped())
                char < ' ' -> fail("a control character in a text")
                else -> result.append(char)
            }
        }
    }

    private fun escaped(): Char = when (val char = next()) {
        '"', '\\', '/' -> char
        'b' -> '\b'
        'f' -> '\u000c'
        'n' -> '\n'
        'r' -> '\r'
        't' -> '\t'
        'u' -> {
            val digits = text.substring(at, minOf(at + 4, text.length))
            at += 4
            if (digits.length < 4) fail("an unfinished text")
            digits.toIntOrNull(16)?.toChar() ?: fail("a wrong escape")
        }
        else -> fail("a wrong escape")
    }

    private fun number(): Number {
        val found = NUMBER.matchAt(text, at)?.value ?: fail("no value")
        at += found.length
        return found.toLongOrNull()
            ?: found.toDouble().also { if (it.isInfinite()) fail("a number that is too large") }
    }

    private fun <T> word(word: String, value: T): T {
        if (!text.startsWith(word, at)) fail("no value")
        at += word.length
        return value
    }

    private fun skipSpace() {
        while (at < text.length && text[at] in " \t\r\n") at++
    }

    private fun peek(): Char = text.getOrNull(at) ?: fail("an unfinished text")

    private fun next(): Char = peek().also { at++ }

    private fun take(char: Char) {
        if (next() != char) fail("'$char' is missing")
    }

    private fun fail(what: String): Nothing = throw JsonException("no JSON: $what at character $at")

    private companion object {
        const val MAX_DEPTH = 100
        val NUMBER = Regex("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?")
    }
}
