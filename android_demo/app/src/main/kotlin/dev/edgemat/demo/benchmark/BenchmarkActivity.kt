package dev.edgemat.demo.benchmark

import android.app.Activity
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.view.WindowManager
import android.widget.ArrayAdapter
import android.widget.Button
import android.widget.ProgressBar
import android.widget.Spinner
import android.widget.TextView
import dev.edgemat.core.benchmark.BenchmarkResult
import dev.edgemat.core.benchmark.toJson
import dev.edgemat.core.json.writeJson
import dev.edgemat.demo.R
import dev.edgemat.demo.Work
import dev.edgemat.demo.model.Models
import dev.edgemat.demo.model.Processor
import dev.edgemat.demo.photo.createDocument
import dev.edgemat.demo.photo.write
import dev.edgemat.demo.text
import dev.edgemat.demo.view
import java.io.File
import java.io.IOException
import java.util.concurrent.CancellationException

/** Measures the models on this phone by edgemat's protocol, and writes edgemat's results. */
class BenchmarkActivity : Activity() {
    private val work = Work()
    private var runner: BenchmarkRunner? = null
    private var written: File? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.benchmark)
        fillChoices()
        view<View>(R.id.benchmark_start).setOnClickListener {
            if (runner == null) start(chosen()) else runner?.stop()
        }
        view<View>(R.id.benchmark_save).setOnClickListener {
            startActivityForResult(createDocument("application/json", RESULTS), SAVE)
        }
        if (savedInstanceState == null) Setting.of(intent)?.let(::start)
    }

    override fun onDestroy() {
        runner?.stop()
        work.close()
        super.onDestroy()
    }

    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        val (target, source) = Pair(data?.data ?: return, written ?: return)
        if (resultCode == RESULT_OK) {
            work.start({ write(target) { it.write(source.readBytes()) } }) {
                say(it.fold({ getString(R.string.edit_saved) }, ::notSaved))
            }
        }
    }

    private fun notSaved(error: Throwable) = getString(R.string.benchmark_not_saved, error.text)

    private fun fillChoices() {
        fill(R.id.benchmark_task, TASKS)
        fill(R.id.benchmark_delegate, Processor.entries.map { it.word })
        fill(R.id.benchmark_threads, Setting.THREADS.map { it.toString() })
        fill(R.id.benchmark_mode, Mode.entries.map { getString(it.label) })
    }

    private fun fill(id: Int, choices: List<String>) {
        val layout = android.R.layout.simple_spinner_dropdown_item
        view<Spinner>(id).adapter = ArrayAdapter(this, layout, choices)
    }

    private fun chosen() = Setting(
        task = TASKS[selected(R.id.benchmark_task)],
        sha256s = emptySet(),
        processor = Processor.entries[selected(R.id.benchmark_delegate)],
        threads = Setting.THREADS[selected(R.id.benchmark_threads)],
        protocol = Mode.entries[selected(R.id.benchmark_mode)].protocol,
    )

    private fun selected(id: Int) = view<Spinner>(id).selectedItemPosition

    private fun start(setting: Setting) {
        val started = BenchmarkRunner(Models(this), Phone(this))
        runner = started
        show(isRunning = true)
        showProgress(0.0)
        work.start({ measure(started, setting) }) { result ->
            runner = null
            show(isRunning = false)
            result.fold(onSuccess = ::show, onFailure = ::showFailure)
        }
    }

    private fun measure(runner: BenchmarkRunner, setting: Setting): Measured {
        val folder = getExternalFilesDir(null) ?: filesDir
        val (file, failure) = Pair(File(folder, RESULTS), File(folder, FAILURE))
        // who waits for them by adb is not to take old ones
        file.delete()
        failure.delete()
        try {
            val results = runner.run(setting) { share -> work.tell { showProgress(share) } }
            file.writeWhole(writeJson(results.map { it.toJson() }))
            return Measured(results, file)
        } catch (error: Exception) {
            failure.writeWhole(error.text)
            throw error
        }
    }

    /** The file is there with all of its text, or not at all. */
    private fun File.writeWhole(text: String) {
        val unfinished = File("$path.part")
        unfinished.writeText(text)
        if (!unfinished.renameTo(this)) throw IOException(path)
    }

    private fun show(measured: Measured) {
        written = measured.file
        say(getString(R.string.benchmark_done, measured.file.path))
        view<View>(R.id.benchmark_save).visibility = View.VISIBLE
        view<ViewGroup>(R.id.benchmark_results).run {
            removeAllViews()
            measured.results.forEach(::addResult)
        }
    }

    private fun showFailure(error: Throwable) = say(
        if (error is CancellationException) {
            getString(R.string.benchmark_stopped)
        } else {
            getString(R.string.benchmark_failed, error.text)
        },
    )

    private fun showProgress(share: Double) {
        val percent = (share * 100).toInt()
        view<ProgressBar>(R.id.benchmark_progress).progress = percent
        say(getString(R.string.benchmark_running, percent))
    }

    private fun show(isRunning: Boolean) {
        view<Button>(R.id.benchmark_start)
            .setText(if (isRunning) R.string.benchmark_stop else R.string.benchmark_start)
        view<View>(R.id.benchmark_progress).visibility =
            if (isRunning) View.VISIBLE else View.INVISIBLE
        for (id in CHOICES) view<View>(id).isEnabled = !isRunning
        // A dark screen may lower the clocks.
        val keepOn = WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON
        if (isRunning) window.addFlags(keepOn) else window.clearFlags(keepOn)
    }

    private fun say(text: String) {
        view<TextView>(R.id.benchmark_status).text = text
    }

    private class Measured(val results: List<BenchmarkResult>, val file: File)

    private companion object {
        const val SAVE = 1
        const val RESULTS = "results.json"
        const val FAILURE = "error.txt"
        val TASKS = listOf("portrait", "trimap")
        val CHOICES = intArrayOf(
            R.id.benchmark_task, R.id.benchmark_delegate, R.id.benchmark_threads,
            R.id.benchmark_mode,
        )
    }
}
