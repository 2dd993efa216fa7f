// What the tests share: Python's results of tests/vectors, and how close to them the page must come.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';

const FOLDER = new URL('../vectors/', import.meta.url);
const BYTE = 1;
const FLOAT = 1 / 255;

export function vectors(name) {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));
}

/** The raster of a vector: of bytes where it holds integers alone and is said to be of bytes. */
export function raster({shape, values}, isBytes) {
  const [height, width, channels = 1] = shape;
  const data = isBytes ? Uint8ClampedArray.from(values) : Float32Array.from(values);
  return {height, width, channels, data};
}

export const picture = (vector) => raster(vector, true);
export const matte = (vector) => raster(vector, false);

/** A matte that is written as bytes. */
export function matteOfBytes(vector) {
  const {data, ...size} = raster(vector, true);
  return {...size, data: Float32Array.from(data, (value) => value / 255)};
}

/** Assert that a raster is what Python made: bytes within 1, floats within 1/255. */
export function assertClose(found, {shape, values}, what = '') {
  const [height, width, channels = 1] = shape;
  assert.deepEqual([found.height, found.width, found.channels], [height, width, channels], what);
  assertNear(found.data, values, found.data instanceof Float32Array ? FLOAT : BYTE, what);
}

export function assertNear(found, values, tolerance, what = '') {
  assert.equal(found.length, values.length, what);
  values.forEach((value, n) => {
    assert.ok(Math.abs(found[n] - value) <= tolerance, `${what}[${n}]: ${found[n]}, not ${value}`);
  });
}
