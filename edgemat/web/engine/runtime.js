// LiteRT.js in this worker: networks of models/manifest.json, on the processor or on the GPU.
import {loadAndCompile, loadLiteRt, supportsFeature, Tensor} from '../litert/core.js';
import {checkGolden} from '../bench/verdict.js';
import {tensor} from '../core/matte.js';

const LITERT = new URL('../litert/', import.meta.url);
const MODELS = new URL('../models/', import.meta.url);

/** How many threads LiteRT.js can have here: more than one needs shared memory between workers. */
export async function mostThreads() {
  const shared = globalThis.crossOriginIsolated && await supportsFeature('relaxedSimd');
  return shared ? navigator.hardwareConcurrency ?? 1 : 1;
}

/** Load LiteRT.js, once, for one thread or for several. */
export async function loadRuntime(threads) {
  // LiteRT.js looks for its own files beside the worker that it runs in
  self.Module = {
    locateFile: (name) => new URL(name, LITERT).href,
    mainScriptUrlOrBlob: new URL('litert_wasm_threaded_internal.js', LITERT).href,
  };
  await loadLiteRt(LITERT.href, {threads: threads > 1});
}

/**
 * Load a network.
 *
 * @param entry of the manifest
 * @param {string} delegate xnnpack, the processor's, or webgpu
 * @returns {feeding, delegate, threads, init_ms, whole, run, prepare, close}; `whole`: the delegate
 *   computes every operator
 */
export async function openNetwork(entry, delegate, threads) {
  const file = await content(entry.file);
  const onGpu = delegate === 'webgpu';
  const start = performance.now();
  const compiled = await loadAndCompile(file, onGpu ? {accelerator: 'webgpu'}
    : {accelerator: 'wasm', cpuOptions: {numThreads: threads}});
  const init_ms = performance.now() - start;
  const {height, width, channels, layout} = entry.feeding;
  const shape = layout === 'NHWC' ? [1, height, width, channels] : [1, channels, height, width];

  async function output(input) {
    const [result] = await compiled.run(input);
    const alpha = await result.data(); // a GPU works on after run() has returned
    result.delete();
    return alpha;
  }

  return {
    feeding: entry.feeding,
    delegate,
    threads,
    init_ms,
    whole: compiled.isFullyAccelerated,
    async run(values) {
      const input = new Tensor(values, shape);
      const alpha = Float32Array.from(await output(input));
      input.delete();
      return alpha;
    },
    /** Return what runs one input again and again. */
    async prepare(values) {
      const input = new Tensor(values, shape);
      const placed = onGpu ? await input.moveTo('webgpu') : input;
      return () => output(placed);
    },
    close: () => compiled.delete(),
  };
}

/** The picture that an export brings to try a network on, and the matte that belongs to it. */
export async function golden(entry) {
  if (!entry.golden) return null;
  const {height, width, channels} = entry.feeding;
  const data = await content(entry.golden.pixels);
  const alpha = new Float32Array((await content(entry.golden.alpha)).buffer);
  return {input: tensor({height, width, channels, data}, entry.feeding), alpha};
}

/** The difference between what a network computes for its golden picture and what it should. */
export async function tryGolden(network, expected) {
  return expected && checkGolden(expected.alpha, await network.run(expected.input));
}

async function content(name) {
  const answer = await fetch(new URL(name, MODELS));
  if (!answer.ok) throw new Error(`The file models/${name} cannot be had (${answer.status}).`);
  return new Uint8Array(await answer.arrayBuffer());
}
