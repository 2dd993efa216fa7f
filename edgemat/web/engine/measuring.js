// The benchmark, in a worker of its own: models in turns A-B-B-A, by the protocol of the project.
import {measure} from '../bench/protocol.js';
import {makeResult} from '../bench/result.js';
import {blank} from './choice.js';
import {golden, loadRuntime, openNetwork, tryGolden} from './runtime.js';

/**
 * Measure models of the manifest and return results by the schema.
 *
 * @param {string} asked xnnpack or webgpu
 * @param where runtime, userAgent, platform, cores, before (battery)
 */
export async function measureModels({models, protocol, asked, threads, where}, progress) {
  await loadRuntime(threads);
  const prepared = new Map();
  for (const entry of models) prepared.set(entry.name, await prepare(entry, asked, threads));
  const candidates = new Map([...prepared].map(([name, {infer}]) => [name, infer]));
  const noted = await measure(candidates, protocol, async (done, total) => {
    progress({done, total});
  }, {clock: () => performance.now(), breathe: async () => {}});
  const recordedAt = new Date().toISOString();
  const results = [];
  for (const entry of models) {
    const {network, expected, infer: _, ...times} = prepared.get(entry.name);
    const found = {
      ...times, ...noted.get(entry.name), whole: network.whole,
      golden: await tryGolden(network, expected),
    };
    results.push(makeResult(entry, found, protocol, {...where, asked, threads}, recordedAt));
  }
  return {results};
}

async function prepare(entry, asked, threads) {
  const network = await openNetwork(entry, asked, threads);
  const expected = await golden(entry);
  const infer = await network.prepare(expected?.input ?? blank(entry));
  const start = performance.now();
  await infer();
  return {network, expected, infer, init_ms: network.init_ms, first_ms: performance.now() - start};
}
