package dev.edgemat.core.benchmark

import kotlin.test.Test
import kotlin.test.assertEquals

class HistogramTest {
    @Test
    fun `every sample is counted once, the slowest in the last bin`() {
        val samples = List(99) { 10.0 + it * 0.01 } + 500.0
        val histogram = Histogram.of(samples, Latency.of(samples), bins = 10)
        assertEquals(samples.size, histogram.counts.sum())
        assertEquals(10.0, histogram.fromMs)
    }

    @Test
    fun `samples that are all alike are one bin`() {
        val histogram = Histogram.of(listOf(4.0, 4.0), Latency.of(listOf(4.0, 4.0)), bins = 3)
        assertEquals(listOf(2, 0, 0), histogram.counts)
        assertEquals(4.0, histogram.modeMs)
    }
}
