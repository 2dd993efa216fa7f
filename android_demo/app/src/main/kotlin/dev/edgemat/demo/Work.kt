package dev.edgemat.demo

import android.os.Handler
import android.os.Looper
import java.util.concurrent.Executors

/**
 * One background thread of a screen. What it makes comes back on the main thread, unless the
 * screen has gone since.
 */
class Work : AutoCloseable {
    private val thread = Executors.newSingleThreadExecutor()
    private val main = Handler(Looper.getMainLooper())

    @Volatile
    private var isClosed = false

    fun <T> start(task: () -> T, done: (Result<T>) -> Unit) {
        if (isClosed) return
        thread.execute {
            val result = runCatching(task)
            tell { done(result) }
        }
    }

    /** Says something on the main thread, from a task that goes on. */
    fun tell(message: () -> Unit) {
        main.post { if (!isClosed) message() }
    }

    /** Ends the work; [last] is run after the task that is under way. */
    fun close(last: () -> Unit) {
        isClosed = true
        thread.execute(last)
        thread.shutdown()
    }

    override fun close() = close {}
}
