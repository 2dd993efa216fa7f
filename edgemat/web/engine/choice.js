// Who computes: the GPU where it computes all of the network, rightly and faster, else the processor.
import {GOLDEN_LIMIT} from '../bench/verdict.js';
import {golden, openNetwork, tryGolden} from './runtime.js';

const TRIES = 5;

/**
 * Open a network on the processor, and on the GPU where that is better.
 *
 * @returns {network, ms, why}: the median of an inference, and why it is not the GPU, if so
 */
export async function openBest(entry, threads) {
  const expected = await golden(entry);
  const onCpu = await tried(entry, 'xnnpack', threads, expected);
  if (onCpu.wrong) throw new Error(`The network computes a wrong matte here: ${onCpu.wrong}.`);
  if (!navigator.gpu) return {...onCpu, why: 'no WebGPU here'};
  let onGpu;
  try {
    onGpu = await tried(entry, 'webgpu', threads, expected);
  } catch {
    return {...onCpu, why: 'WebGPU cannot load the network'};
  }
  const why = onGpu.wrong || (onGpu.ms < onCpu.ms ? '' : 'WebGPU is no faster');
  (why ? onGpu : onCpu).network.close();
  return why ? {...onCpu, why} : {...onGpu, why};
}

async function tried(entry, delegate, threads, expected) {
  const network = await openNetwork(entry, delegate, threads);
  let wrong = network.whole || delegate === 'xnnpack' ? '' : 'WebGPU computes only a part of it';
  if (wrong) return {network, ms: Infinity, wrong};
  const check = await tryGolden(network, expected);
  if (check && check.mean_abs > GOLDEN_LIMIT) {
    wrong = `${delegate} is off by ${check.mean_abs.toFixed(3)} on average`;
  }
  const {height, width, channels} = entry.feeding;
  const infer = await network.prepare(
    expected?.input ?? new Float32Array(height * width * channels));
  const times = [];
  for (let n = 0; n < TRIES; n++) {
    const start = performance.now();
    await infer();
    times.push(performance.now() - start);
  }
  return {network, ms: times.sort((a, b) => a - b)[Math.floor(TRIES / 2)], wrong};
}
