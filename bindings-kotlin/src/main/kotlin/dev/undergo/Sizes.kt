package dev.undergo

import java.math.BigDecimal

/** A number, and a unit: the letters alone are powers of 1024, and so is what ends in `iB`. */
private val SIZE = Regex("""\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?b)?|(b)?)\s*""", RegexOption.IGNORE_CASE)

private val LONGS = BigDecimal(Long.MAX_VALUE)

/** A number of bytes as people write it. */
internal fun size(text: String): Long {
    val found = SIZE.matchEntire(text)
    val bytes = found?.destructured?.let { (number, letter, end) ->
        val unit = BigDecimal(if (end.equals("b", ignoreCase = true)) 1000 else 1024).pow("kmgt".indexOf(letter.lowercase()) + 1)
        val given = BigDecimal(number)
        (given * if (letter.isEmpty()) BigDecimal.ONE else unit).takeIf { letter.isNotEmpty() || given.scale() == 0 }
    }
    require(bytes != null && bytes <= LONGS) { "the size is '${text.take(100)}'; write a number of bytes, or a text such as '64 MiB', '1.5 GB' or '64M'" }
    return bytes.toLong()
}
