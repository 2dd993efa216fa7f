package dev.edgemat.demo

import android.app.Activity
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.TextView
import dev.edgemat.demo.benchmark.BenchmarkActivity
import dev.edgemat.demo.edit.EditActivity
import dev.edgemat.demo.live.LiveActivity
import dev.edgemat.demo.model.Models
import dev.edgemat.demo.photo.pickPicture

/** Where one chooses: a photo, the camera, the benchmark. */
class MainActivity : Activity() {
    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.main)
        view<View>(R.id.main_pick).setOnClickListener {
            startActivityForResult(pickPicture(), PICK)
        }
        view<View>(R.id.main_live).setOnClickListener {
            startActivity(Intent(this, LiveActivity::class.java))
        }
        view<View>(R.id.main_benchmark).setOnClickListener {
            startActivity(Intent(this, BenchmarkActivity::class.java))
        }
        showModels()
    }

    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        val photo = data?.data
        if (requestCode == PICK && resultCode == RESULT_OK && photo != null) {
            startActivity(EditActivity.of(this, photo))
        }
    }

    /** Says which models there are; without any there is nothing to do here. */
    private fun showModels() {
        val manifest = runCatching { Models(this).manifest }
        for (id in intArrayOf(R.id.main_pick, R.id.main_live, R.id.main_benchmark)) {
            view<View>(id).isEnabled = manifest.isSuccess
        }
        view<TextView>(R.id.main_status).text = manifest.fold(
            onSuccess = { found ->
                getString(R.string.main_models, found.models.joinToString { it.name })
            },
            onFailure = { it.text },
        )
    }

    private companion object {
        const val PICK = 1
    }
}
