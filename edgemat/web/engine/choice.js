// Who computes: what is right and fastest here, of the processor with several threads or with one,
// and the GPU where it computes all of the network.
import {GOLDEN_LIMIT} from '../bench/verdict.js';
import {hasGpu} from './gpu.js';
import {golden, openNetwork, tryGolden} from './runtime.js';

const TRIES = 3;

/**
 * Open a network in each way, try it on its golden picture, and keep the fastest.
 *
 * @returns {{network, ms: number}} the median of an inference
 */
export async function openBest(entry, mostThreads) {
  const expected = await golden(entry);
  const ways = [['xnnpack', mostThreads]];
  if (mostThreads > 1) ways.push(['xnnpack', 1]); // where cores are busy, waiting for them is slow
  if (await hasGpu()) ways.push(['webgpu', 1]);
  let best = null;
  const refusals = [];
  for (const [delegate, threads] of ways) {
    try {
      const one = await tried(entry, delegate, threads, expected);
      const [kept, left] = best && best.ms <= one.ms ? [best, one] : [one, best];
      left?.network.close();
      best = kept;
    } catch (error) {
      refusals.push(error?.message ?? String(error));
    }
  }
  if (!best) throw new Error(`The network does not run here: ${refusals.join('; ')}`);
  return best;
}

async function tried(entry, delegate, threads, expected) {
  const network = await openNetwork(entry, delegate, threads);
  try {
    if (!network.whole) throw new Error(`${delegate} computes only a part of it`);
    const check = await tryGolden(network, expected); // warms it up as well
    if (check && check.mean_abs > GOLDEN_LIMIT) {
      throw new Error(`${delegate} is off by ${check.mean_abs.toFixed(3)} on average`);
    }
    return {network, ms: await medianMs(await network.prepare(expected?.input ?? blank(entry)))};
  } catch (error) {
    network.close();
    throw error;
  }
}

/** An input for a network without a golden picture. */
export function blank({feeding: {height, width, channels}}) {
  return new Float32Array(height * width * channels);
}

async function medianMs(infer) {
  const times = [];
  for (let n = 0; n < TRIES; n++) {
    const start = performance.now();
    await infer();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[Math.floor(TRIES / 2)];
}
