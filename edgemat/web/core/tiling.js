// Overlapping tiles that cover one axis, and the weight of each of their pixels in the blend.
import {round} from './raster.js';

/**
 * Cover a length with tiles of a size, neighbours overlapping by a quarter or more.
 *
 * At each pixel the weights add up to 1; they are smallest at a tile's border, where the network
 * has seen the least of the surroundings.
 *
 * @returns {{start: number, weights: Float32Array}[]}
 */
export function tileAxis(length, size) {
  const step = Math.max(1, size - Math.floor(size / 4));
  const count = 1 + Math.ceil((length - size) / step);
  const between = count === 1 ? 0 : (length - size) / (count - 1);
  const starts = Array.from({length: count}, (_, n) => round(n * between));
  const wave = Array.from({length: size}, (_, n) => Math.sin(Math.PI * (n + 0.5) / size) ** 2);
  const total = new Float64Array(length);
  for (const start of starts) wave.forEach((value, n) => { total[start + n] += value; });
  return starts.map((start) => ({
    start, weights: Float32Array.from(wave, (value, n) => value / total[start + n]),
  }));
}
