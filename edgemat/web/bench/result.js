// A result by docs/result-schema.json, which `edgemat bench import` reads.
import {summarise, sustainedCurve} from './statistics.js';
import {reasonsAgainst} from './verdict.js';

const SCHEMA_VERSION = 2;
// What `Protocol` of bench/protocol.py has by default, but for the warm-up: a browser compiles
// WebAssembly better after it has run for a while.
export const PROTOCOL = {
  warmup_runs: 100, warmup_seconds: 1, runs: 200, seconds: 10, blocks: 10, settle_runs: 1,
  max_cv: 0.1, max_drift: 0.1, sustained_seconds: 0,
};
/** The settings of a figure for publication: MLPerf's single-stream minimums. */
export const STRICT = {...PROTOCOL, runs: 1024, seconds: 60};
const UNTOLD = {
  thermal_status: null, thermal_headroom: null, temperature_c: null, battery_level: null,
  charging: null, low_power_mode: null, load_average: null, frequencies_mhz: [],
};

/**
 * Make one model's result.
 *
 * @param model its entry in models/manifest.json
 * @param noted init_ms, first_ms, warmup_runs, samples_ms, sustained_ms, golden, whole (every
 *   operator was computed by what was asked for)
 * @param where delegate, threads, runtime, before and after (battery_level, charging), userAgent,
 *   platform, cores
 */
export function makeResult(model, noted, protocol, where, recordedAt) {
  const {asked} = where;
  // LiteRT.js only tells whether the delegate took the whole graph, not how much of it
  const used = noted.whole ? asked : `${asked} at most in part`;
  const delegate = {asked, used, operators: null, delegated: null, partitions: null};
  const before = {...UNTOLD, ...where.before};
  const after = {...UNTOLD, ...where.after};
  const latency = summarise(noted.samples_ms);
  const reasons = reasonsAgainst({latency, protocol, delegate, before, after, ...noted});
  return {
    schema_version: SCHEMA_VERSION,
    name: model.name,
    model_sha256: model.sha256,
    model_bytes: model.bytes,
    threads: where.threads,
    delegate,
    init_ms: noted.init_ms,
    first_ms: noted.first_ms,
    warmup_runs: noted.warmup_runs,
    samples_ms: noted.samples_ms,
    latency,
    verdict: reasons.length ? 'invalid' : 'valid',
    reason: reasons.join('; '),
    instructions: null, // an emulator's, of which a browser is none
    peak_memory_bytes: null, // no browser tells it
    golden: noted.golden,
    profile: [],
    sustained: sustainedCurve(noted.sustained_ms),
    protocol,
    circumstances: {
      transport: 'browser',
      device_kind: 'physical',
      device: where.platform || 'a browser',
      soc: 'not told by browsers',
      cores: where.cores,
      cpu_mask: null,
      os: browserName(where.userAgent),
      abi: 'wasm32',
      governor: null,
      virtualised: null,
      runtime: where.runtime,
      before,
      after,
    },
    recorded_at: recordedAt,
  };
}

const BROWSERS = [
  ['Edg', 'Edge'], ['OPR', 'Opera'], ['SamsungBrowser', 'Samsung Internet'],
  ['Firefox', 'Firefox'], ['CriOS', 'Chrome'], ['FxiOS', 'Firefox'],
  ['HeadlessChrome', 'headless Chrome'], ['Chrome', 'Chrome'], ['Version', 'Safari'],
];

/** Browser and system out of a user agent: "Chrome 130, Linux; Android 15; Pixel 8". */
export function browserName(userAgent) {
  let name = 'unknown browser';
  for (const [mark, browser] of BROWSERS) {
    const found = new RegExp(`\\b${mark}/(\\d+)`).exec(userAgent);
    if (found) {
      name = `${browser} ${found[1]}`;
      break;
    }
  }
  const system = /\(([^)]*)\)/.exec(userAgent);
  return system ? `${name}, ${system[1]}` : name;
}
