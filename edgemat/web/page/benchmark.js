// The benchmark's tab: its choices, and results to read and to save.
import {PROTOCOL, STRICT} from '../bench/result.js';
import {hasGpu} from '../engine/gpu.js';
import {Engine} from './engine.js';
import {download, find, say, showProgress, trying} from './say.js';

const PROTOCOLS = {
  usual: PROTOCOL, strict: STRICT, sustained: {...PROTOCOL, sustained_seconds: 600},
};

export class BenchmarkTab {
  #models;
  #version;
  #results = [];

  /** @param {number} mostThreads that this page can have */
  constructor(models, version, mostThreads) {
    this.#models = models;
    this.#version = version;
    for (const {name} of models) find('networks').append(checkbox(name));
    const counts = [1, 2, 4, 6, 8].filter((count) => count <= mostThreads);
    find('threads').append(...counts.map((count) => new Option(count, count)));
    find('threads').value = counts.includes(4) ? 4 : counts.at(-1);
    offerGpu();
    find('measure').addEventListener('click', () => this.#measure());
    find('store').addEventListener('click', () => this.#store());
  }

  async #measure() {
    const chosen = new Set([...find('networks').querySelectorAll(':checked')].map((box) => box.value));
    const models = this.#models.filter(({name}) => chosen.has(name));
    const asked = document.querySelector('[name=asked]:checked').value;
    const threads = Number(find('threads').value);
    const how = asked === 'webgpu' ? 'WebGPU' : `WASM, threads: ${threads}`;
    find('measure').disabled = true;
    const engine = new Engine(); // begins with an empty memory
    await trying(async () => {
      if (models.length === 0) throw new Error('Choose a network to measure.');
      say('Measuring. Keep this page in front.');
      const {results} = await engine.ask('measure', {
        models, asked, threads, protocol: PROTOCOLS[find('protocol').value],
        where: {
          runtime: `LiteRT.js ${this.#version}, ${how}`,
          before: await battery(),
          userAgent: navigator.userAgent,
          platform: navigator.userAgentData?.platform ?? navigator.platform ?? '',
          cores: navigator.hardwareConcurrency ?? 1,
        },
      }, showProgress);
      const after = await battery();
      for (const result of results) Object.assign(result.circumstances.after, after);
      this.#results.push(...results);
      find('results').append(...results.map(card));
      find('store').hidden = false;
      say('Measured. edgemat bench import reads the file that you can save.');
    });
    engine.close();
    find('measure').disabled = false;
  }

  #store() {
    const text = JSON.stringify(this.#results, null, 1);
    download(new Blob([text], {type: 'application/json'}), 'edgemat-results.json');
  }
}

async function offerGpu() {
  document.querySelector('[name=asked][value=webgpu]').disabled = !await hasGpu();
}

function checkbox(name) {
  const label = document.createElement('label');
  label.className = 'check';
  const box = Object.assign(document.createElement('input'), {
    type: 'checkbox', value: name, checked: name.startsWith('portrait'),
  });
  label.append(box, ` ${name}`);
  return label;
}

function card({name, threads, latency, verdict, reason, delegate, golden}) {
  const item = document.createElement('li');
  const title = Object.assign(document.createElement('strong'), {
    textContent: `${name}, ${delegate.asked}, ${threads} thread${threads > 1 ? 's' : ''}`,
  });
  const times = `p50 ${latency.p50_ms.toFixed(2)} ms, p90 ${latency.p90_ms.toFixed(2)} ms`;
  const right = golden ? ` The matte is off by ${golden.mean_abs.toFixed(4)} on average.` : '';
  item.append(title, verdict === 'valid' ? `${times}.${right}` : `Invalid: ${reason}. (${times})`);
  return item;
}

async function battery() {
  if (!navigator.getBattery) return {};
  const {level, charging} = await navigator.getBattery();
  return {battery_level: level, charging};
}
