// The page's benchmark against the figures, verdicts and results of Python.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {browserName, makeResult, PROTOCOL, STRICT} from '../../edgemat/web/bench/result.js';
import {summarise, sustainedCurve} from '../../edgemat/web/bench/statistics.js';
import {checkGolden, reasonsAgainst, unsteadiness} from '../../edgemat/web/bench/verdict.js';
import {assertNear, vectors} from './vectors.js';

const {summaries, refused, sustained} = vectors('statistics');

test('latencies are summed up as in Python', () => {
  for (const {samples_ms, latency} of summaries) {
    const found = summarise(samples_ms);
    assert.deepEqual(Object.keys(found), Object.keys(latency));
    assertNear(Object.values(found), Object.values(latency), 1e-9);
  }
  for (const {samples_ms, message} of refused) {
    assert.throws(() => summarise(samples_ms), {message});
  }
});

test('the curve of a sustained run has the windows of Python', () => {
  for (const {samples_ms, sustained: curve} of sustained) {
    const found = sustainedCurve(samples_ms);
    assertNear(found.at_s, curve.at_s, 1e-9);
    assertNear(found.p50_ms, curve.p50_ms, 1e-9);
    assert.deepEqual([found.runs, sustainedCurve([])], [curve.runs, null]);
  }
});

test('verdicts have the words of Python', () => {
  const {judged, golden} = vectors('verdict');
  for (const {samples_ms, unsteady, reason, ...parts} of judged) {
    const latency = summarise(samples_ms);
    assert.deepEqual(unsteadiness(latency, PROTOCOL), unsteady);
    assert.equal(reasonsAgainst({latency, protocol: PROTOCOL, ...parts}).join('; '), reason);
  }
  const [{expected, found, check}] = golden;
  const made = checkGolden(...[expected, found].map(({values}) => Float32Array.from(values)));
  assert.ok(Math.abs(made.mean_abs - check.mean_abs) < 1e-4);
  assert.throws(() => checkGolden(Float32Array.of(1), Float32Array.of(NaN)), /not finite/);
});

test('the protocols are the project\'s but for the warm-up, and results have all its fields', () => {
  const [usual, strict] = vectors('protocol').settings.map(({protocol}) => protocol);
  assert.deepEqual({...PROTOCOL, warmup_runs: 10}, usual);
  assert.deepEqual({...STRICT, warmup_runs: 10}, strict);
  const [{result}] = vectors('result').results;
  const model = {name: 'portrait-int8', sha256: 'ab', bytes: 1};
  const noted = {
    init_ms: 1, first_ms: 2, warmup_runs: 3, samples_ms: [5, 5], sustained_ms: [], golden: null,
    whole: false,
  };
  const where = {asked: 'webgpu', threads: 1, userAgent: 'curl/8', platform: '', cores: 2};
  const made = makeResult(model, noted, PROTOCOL, where, '2026-11-23T10:00:00Z');
  assert.deepEqual(Object.keys(made).sort(), Object.keys(result).sort());
  assert.deepEqual(
    Object.keys(made.circumstances).sort(), Object.keys(result.circumstances).sort());
  assert.equal(made.reason, 'webgpu was asked for and webgpu at most in part was used');
});

test('browsers are named as `edgemat bench --device browser` names them', () => {
  const agent = 'Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 Chrome/130.0 Mobile';
  assert.equal(browserName(agent), 'Chrome 130, Linux; Android 15; Pixel 8');
  assert.equal(browserName('curl/8'), 'unknown browser');
});
