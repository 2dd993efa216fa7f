package dev.edgemat.demo.edit

import dev.edgemat.core.compositing.CutOut
import dev.edgemat.core.compositing.Effect
import dev.edgemat.core.compositing.render
import dev.edgemat.core.matting.Progress
import dev.edgemat.core.matting.Trimap
import dev.edgemat.core.matting.matte
import dev.edgemat.core.matting.refine
import dev.edgemat.core.matting.trimapOfMatte
import dev.edgemat.core.picture.ByteRaster
import dev.edgemat.core.picture.RgbImage
import dev.edgemat.demo.model.LiteRtNetwork
import dev.edgemat.demo.model.Models

/** A photo, what was cut out of it, and the models that do it. For one background thread. */
class PhotoEditor(private val models: Models, val photo: RgbImage) : AutoCloseable {
    private val networks = HashMap<String, LiteRtNetwork>()
    private lateinit var cutOut: CutOut

    /** Cuts people out. */
    fun cutOutPeople() {
        cutOut = CutOut(photo, network("portrait").matte(photo))
    }

    /** Looks again, at full resolution, at what the cut-out leaves open. */
    fun refine(progress: Progress) {
        cutOut = CutOut(photo, network("trimap").refine(photo, cutOut.alpha, progress))
    }

    /** Cuts out what a trimap says. */
    fun cutOut(trimap: Trimap, progress: Progress) {
        cutOut = CutOut(photo, network("trimap").matte(photo, trimap, progress))
    }

    /** A trimap to go on painting from: unknown is what the matte leaves open. */
    fun startingTrimap(): Trimap = trimapOfMatte(cutOut.alpha)

    fun render(effect: Effect): ByteRaster = cutOut.render(effect)

    private fun network(task: String): LiteRtNetwork = networks.getOrPut(task) { models.open(task) }

    override fun close() = networks.values.forEach { it.close() }
}
