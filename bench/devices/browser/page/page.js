// Loads the models, measures them, and hands the server what was noted: raw, without a verdict.
import {loadAndCompile, loadLiteRt, Tensor} from '@litertjs/core';
import {measure} from './protocol.js';

const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
const headers = {'X-Edgemat-Token': token};
const status = document.getElementById('status');
const bar = document.getElementById('bar');

const say = (text) => { status.textContent = text; };

async function get(path) {
  const answer = await fetch(path, {headers, cache: 'no-store'});
  if (!answer.ok) throw new Error(await answer.text());
  return answer;
}

async function post(path, body) {
  const answer = await fetch(path, {method: 'POST', headers, body: JSON.stringify(body)});
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

function base64(floats) {
  const bytes = new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

async function battery() {
  if (!navigator.getBattery) return {};
  const told = await navigator.getBattery();
  return {battery_level: told.level, charging: told.charging};
}

/** Load one model; return its inference, and what loading and the first inference took. */
async function prepare(model, job) {
  const bytes = new Uint8Array(await (await get(model.file)).arrayBuffer());
  const pixels = new Float32Array(await (await get(model.input)).arrayBuffer());
  const webgpu = job.delegate === 'webgpu';
  const options = webgpu ? {accelerator: 'webgpu'}
    : {accelerator: 'wasm', cpuOptions: {numThreads: job.threads}};
  const start = performance.now();
  const compiled = await loadAndCompile(bytes, options);
  const ready = performance.now();
  let input = new Tensor(pixels, model.shape);
  if (webgpu) input = await input.moveTo('webgpu');
  // The output is read back, because a GPU works on after run() has returned.
  const infer = async () => {
    const [output] = await compiled.run(input);
    const alpha = await output.data();
    output.delete();
    return alpha;
  };
  const begin = performance.now();
  await infer();
  const first = performance.now() - begin;
  return {infer, init_ms: ready - start, first_ms: first, whole: compiled.isFullyAccelerated};
}

/** Return what tells the server, once a second and between inferences, that the page is alive. */
function breath() {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < 1000) return;
    await post('progress', {done: bar.value, total: bar.max});
    last = performance.now();
  };
}

async function work() {
  if (!token) throw new Error('Open the address that edgemat printed, with its token.');
  const job = await (await get('job')).json();
  document.getElementById('models').replaceChildren(...job.models.map((model) => {
    const item = document.createElement('li');
    item.textContent = model.name;
    return item;
  }));
  const threaded = job.threads > 1;
  if (threaded && !crossOriginIsolated) {
    throw new Error('Several threads need HTTPS or localhost: start edgemat bench with --tls.');
  }
  if (job.delegate === 'webgpu' && !navigator.gpu) {
    throw new Error('This browser has no WebGPU here: use HTTPS (--tls) and a recent browser.');
  }
  const what = `${job.turn + 1} of ${job.turns}: ${job.threads} thread${threaded ? 's' : ''}`;
  say(`${what}, loading`);
  await loadLiteRt('litert/', {threads: threaded});
  const before = await battery();
  const prepared = new Map();
  for (const model of job.models) prepared.set(model.name, await prepare(model, job));
  say(`${what}, measuring. Keep this page in front.`);
  const candidates = new Map([...prepared].map(([name, {infer}]) => [name, infer]));
  const noted = await measure(candidates, job.protocol, async (done, total) => {
    bar.max = total;
    bar.value = done;
    await post('progress', {done, total});
  }, {clock: () => performance.now(), breathe: breath()});
  const recordings = {};
  const alphas = {};
  for (const [name, {infer, init_ms, first_ms, whole}] of prepared) {
    recordings[name] = {...noted.get(name), init_ms, first_ms, whole};
    alphas[name] = base64(new Float32Array(await infer()));
  }
  const answer = await post('result', {
    turn: job.turn,
    recordings,
    alphas,
    before,
    after: await battery(),
    user_agent: navigator.userAgent,
    platform: navigator.userAgentData?.platform ?? navigator.platform ?? '',
    cores: navigator.hardwareConcurrency ?? 1,
  });
  if (answer.more) {
    location.reload(); // the next number of threads begins with an empty memory
    return;
  }
  const list = document.getElementById('results');
  for (const line of answer.summary) {
    const item = document.createElement('li');
    item.textContent = line;
    list.append(item);
  }
  document.body.dataset.state = 'done';
  say('Done. You can close this page.');
}

work().catch(async (error) => {
  document.body.dataset.state = 'failed';
  say(error.message);
  await post('failure', {message: String(error.message)}).catch(() => {});
});
