package dev.edgemat.demo.benchmark

import android.content.res.Resources
import android.view.LayoutInflater
import android.view.ViewGroup
import android.widget.TextView
import dev.edgemat.core.benchmark.BenchmarkResult
import dev.edgemat.demo.R

/** Adds one result to a list: figures, distribution, circumstances, verdict. */
fun ViewGroup.addResult(result: BenchmarkResult) {
    val card = LayoutInflater.from(context).inflate(R.layout.benchmark_result, this, false)
    (card.findViewById(R.id.result_figures) as TextView).text = resources.figures(result)
    (card.findViewById(R.id.result_histogram) as HistogramView).show(result)
    (card.findViewById(R.id.result_circumstances) as TextView).text = resources.details(result)
    (card.findViewById(R.id.result_verdict) as TextView).run {
        text = resources.verdict(result)
        setTextColor(context.getColor(if (result.isValid) R.color.accent else R.color.warning))
    }
    addView(card)
}

private fun Resources.figures(result: BenchmarkResult): String = result.latency.run {
    getString(R.string.benchmark_figures, result.name, p50Ms, p90Ms, p99Ms, meanMs, stdMs, count)
}

private fun Resources.details(result: BenchmarkResult): String = listOfNotNull(
    getString(
        R.string.benchmark_circumstances,
        result.delegate.asked, result.delegate.used, result.threads, result.initMs, result.firstMs,
    ),
    result.golden?.let { getString(R.string.benchmark_golden, it.meanAbs, it.limit) }
        ?: getString(R.string.benchmark_no_golden),
    result.sustained?.let { getString(R.string.benchmark_sustained, it.seconds, it.change * 100) },
).joinToString("\n")

private fun Resources.verdict(result: BenchmarkResult): String =
    if (result.isValid) {
        getString(R.string.benchmark_valid)
    } else {
        getString(R.string.benchmark_invalid, result.reasons.joinToString("; "))
    }
