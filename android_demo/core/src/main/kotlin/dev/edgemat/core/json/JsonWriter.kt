package dev.edgemat.core.json

/**
 * Writes maps, lists, texts, numbers, booleans and null as JSON.
 *
 * @throws IllegalArgumentException for a number that JSON does not have, or another kind of value
 */
fun writeJson(value: Any?): String = StringBuilder().also { it.write(value, "\n") }.toString()

private fun StringBuilder.write(value: Any?, newLine: String) {
    when (value) {
        null, is Boolean, is Int, is Long -> append(value)
        is Double -> {
            require(value.isFinite()) { "JSON has no $value" }
            append(value)
        }
        is String -> writeText(value)
        is Map<*, *> -> writeSeries('{', '}', value.entries, newLine) { (key, one) ->
            writeText(key as String)
            append(": ")
            write(one, "$newLine  ")
        }
        is List<*> if value.all { it is Number } ->
            value.joinTo(this, prefix = "[", postfix = "]") { writeJson(it) }
        is List<*> -> writeSeries('[', ']', value, newLine) { write(it, "$newLine  ") }
        else -> throw IllegalArgumentException("JSON has no ${value::class.simpleName}")
    }
}

private inline fun <T> StringBuilder.writeSeries(
    start: Char,
    end: Char,
    items: Collection<T>,
    newLine: String,
    write: (T) -> Unit,
) {
    append(start)
    items.forEachIndexed { n, item ->
        if (n > 0) append(',')
        append(newLine).append("  ")
        write(item)
    }
    if (items.isNotEmpty()) append(newLine)
    append(end)
}

private fun StringBuilder.writeText(text: String) {
    append('"')
    for (char in text) {
        when {
            char == '"' || char == '\\' -> append('\\').append(char)
            char < ' ' -> append("\\u").append(char.code.toString(16).padStart(4, '0'))
            else -> append(char)
        }
    }
    append('"')
}
