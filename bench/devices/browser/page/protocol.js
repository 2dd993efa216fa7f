// The protocol of bench/protocol.py: what is run in which order, and when the clock is read.
// Nothing here knows of a page or of a model, so that it is tested under node.

/** Yield the candidate of each block: A-B-B-A, A-B-B-A, ... with `blocks` blocks each. */
export function* schedule(names, blocks) {
  for (let round = 0; round < blocks / 2; round++) {
    yield* names;
    yield* [...names].reverse();
  }
}

/** Return the latencies, in milliseconds, of runs until both minimums are met. */
async function until(run, leastRuns, leastMs, {clock, breathe}) {
  const samples = [];
  let spent = 0;
  while (samples.length < leastRuns || spent < leastMs) {
    const start = clock();
    await run();
    const sample = clock() - start;
    samples.push(sample);
    spent += sample;
    await breathe();
  }
  return samples;
}

async function warmUp(run, protocol, {clock, breathe}) {
  const deadline = clock() + 1000 * protocol.warmup_seconds;
  let runs = 0;
  while (runs < protocol.warmup_runs || clock() < deadline) {
    await run();
    runs++;
    await breathe();
  }
  return runs;
}

/**
 * Measure all candidates side by side.
 *
 * @param {Map<string, () => Promise<void>>} candidates name to one inference
 * @param {object} protocol the fields of edgemat.bench.protocol.Protocol
 * @param {(done: number, total: number) => Promise<void>} progress called between blocks
 * @param {object} hooks
 *   clock: returns milliseconds, monotonic;
 *   breathe: called after each inference, outside of what is timed
 * @returns {Promise<Map<string, {warmup_runs, samples_ms, sustained_ms}>>}
 */
export async function measure(candidates, protocol, progress, hooks) {
  const names = [...candidates.keys()];
  const sustained = protocol.sustained_seconds > 0;
  const total = names.length * (1 + protocol.blocks + (sustained ? 1 : 0));
  const found = new Map(names.map((name) => [name, {samples_ms: [], sustained_ms: []}]));
  let done = 0;
  for (const name of names) {
    found.get(name).warmup_runs = await warmUp(candidates.get(name), protocol, hooks);
    await progress(++done, total);
  }
  const leastRuns = Math.ceil(protocol.runs / protocol.blocks);
  const leastMs = (1000 * protocol.seconds) / protocol.blocks;
  for (const name of schedule(names, protocol.blocks)) {
    const run = candidates.get(name);
    for (let settled = 0; settled < protocol.settle_runs; settled++) await run();
    found.get(name).samples_ms.push(...await until(run, leastRuns, leastMs, hooks));
    await progress(++done, total);
  }
  if (sustained) {
    for (const name of names) {
      const run = candidates.get(name);
      const samples = await until(run, 1, 1000 * protocol.sustained_seconds, hooks);
      found.get(name).sustained_ms = samples;
      await progress(++done, total);
    }
  }
  return found;
}
