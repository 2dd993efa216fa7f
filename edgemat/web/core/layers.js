// Foreground and background colours of a picture with a known matte: Germer et al., Fast
// Multi-Level Foreground Estimation, ICPR 2020; edgemat/matting/layers.py in Python.
import {floats, round} from './raster.js';

const LAYERS = 6; // three colours of the foreground, three of the background
const SMOOTHNESS = Math.fround(1e-5);
// Sweeps at sizes up to the small one in both directions, and at larger ones.
const SMALL_SIDE = 32;
const SMALL_SWEEPS = 10;
const SWEEPS = 2;

/** Return six channels in 0..1 at the picture's size: smooth foreground and background colours. */
export function estimateLayers(image, alpha) {
  const {height, width} = image;
  const levels = Math.max(1, Math.ceil(Math.log2(Math.max(height, width))));
  let layers = {...floats(1, 1, LAYERS), data: meanColours(image, alpha)};
  for (let level = 0; level <= levels; level++) {
    const share = level / levels;
    layers = nearest(layers, round(height ** share), round(width ** share));
    relax(layers, image, alpha);
  }
  return layers;
}

/** The mean colour of what is surely foreground, and of what is surely background. */
function meanColours(image, alpha) {
  const sums = new Float64Array(LAYERS);
  const counts = [1e-5, 1e-5]; // keep the mean of nothing at zero
  for (let n = 0; n < alpha.data.length; n++) {
    const layer = alpha.data[n] > 0.9 ? 0 : 1;
    if (layer === 1 && !(alpha.data[n] < 0.1)) continue;
    counts[layer]++;
    for (let c = 0; c < 3; c++) sums[layer * 3 + c] += image.data[n * 3 + c] / 255;
  }
  return Float32Array.from(sums, (sum, n) => sum / counts[Math.floor(n / 3)]);
}

function relax(layers, image, alpha) {
  const {height, width} = layers;
  const seen = nearest(image, height, width).data;
  const a = nearest(alpha, height, width).data;
  const sweeps = Math.max(height, width) <= SMALL_SIDE ? SMALL_SWEEPS : SWEEPS;
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (let row = 0; row < height; row++) {
      const up = row > 0 ? -width : 0;
      const down = row < height - 1 ? width : 0;
      for (let column = 0; column < width; column++) {
        const n = row * width + column;
        const left = column > 0 ? n - 1 : n;
        const right = column < width - 1 ? n + 1 : n;
        relaxPixel(layers.data, a, seen, n, left, right, n + up, n + down);
      }
    }
  }
}

/**
 * Set F and B of one pixel to what minimises, with its neighbours as they are,
 * `(alpha F + (1 - alpha) B - I)^2 + sum w ((F - F_n)^2 + (B - B_n)^2)`.
 */
function relaxPixel(layers, alpha, seen, n, n0, n1, n2, n3) {
  const a = alpha[n];
  const rest = 1 - a;
  const w0 = SMOOTHNESS + Math.abs(a - alpha[n0]);
  const w1 = SMOOTHNESS + Math.abs(a - alpha[n1]);
  const w2 = SMOOTHNESS + Math.abs(a - alpha[n2]);
  const w3 = SMOOTHNESS + Math.abs(a - alpha[n3]);
  const total = w0 + w1 + w2 + w3;
  const ff = a * a + total;
  const fb = a * rest;
  const bb = rest * rest + total;
  const inverse = 1 / (ff * bb - fb * fb);
  const p = n * LAYERS;
  const p0 = n0 * LAYERS;
  const p1 = n1 * LAYERS;
  const p2 = n2 * LAYERS;
  const p3 = n3 * LAYERS;
  for (let f = 0; f < 3; f++) {
    const b = f + 3;
    const colour = seen[n * 3 + f] / 255;
    const front = a * colour + w0 * layers[p0 + f] + w1 * layers[p1 + f]
      + w2 * layers[p2 + f] + w3 * layers[p3 + f];
    const back = rest * colour + w0 * layers[p0 + b] + w1 * layers[p1 + b]
      + w2 * layers[p2 + b] + w3 * layers[p3 + b];
    layers[p + f] = Math.min(1, Math.max(0, inverse * (bb * front - fb * back)));
    layers[p + b] = Math.min(1, Math.max(0, inverse * (ff * back - fb * front)));
  }
}

/** The raster at another size, each pixel the nearest one above and left. */
function nearest(raster, height, width) {
  const {channels} = raster;
  const data = new raster.data.constructor(height * width * channels);
  let place = 0;
  for (let row = 0; row < height; row++) {
    const from = Math.floor((row * raster.height) / height) * raster.width;
    for (let column = 0; column < width; column++) {
      const pixel = (from + Math.floor((column * raster.width) / width)) * channels;
      for (let c = 0; c < channels; c++) data[place++] = raster.data[pixel + c];
    }
  }
  return {height, width, channels, data};
}
