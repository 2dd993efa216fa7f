// Resizing as Pillow does it, which the models were trained and measured with: anti-aliased where
// a picture shrinks. A canvas weighs pixels in another way in every browser.
import {like} from './raster.js';

const FILTERS = {
  area: {support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0)},
  bilinear: {support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x))},
  // Keys' cubic with a = -0.5; overshoot is clipped to the range of the input.
  bicubic: {
    support: 2,
    weight(x) {
      const d = Math.abs(x);
      if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
      return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
    },
  },
};
// Between the two passes samples are bytes again, and weights of bytes are in fixed point.
const FIXED = 1 << 22;

/**
 * Return the raster at another size.
 *
 * @param {string} method area, bilinear or bicubic
 */
export function resize(raster, height, width, method) {
  if (raster.height === height && raster.width === width) {
    return {...raster, data: raster.data.slice()};
  }
  const result = resizeRows(raster, height, width, [0, height], method);
  if (method === 'bicubic') clip(result.data, raster.data);
  return result;
}

/** Return the rows [first, end) of the raster resized to a size, without making the others. */
export function resizeRows(raster, height, width, rows, method = 'bilinear') {
  const down = windows(raster.height, height, rows, method);
  const across = windows(raster.width, width, [0, width], method);
  const {channels} = raster;
  const isBytes = !(raster.data instanceof Float32Array);
  if (isBytes) [down, across].forEach(quantize);
  const wide = like(raster, down.end - down.begin, width);
  const result = like(raster, rows[1] - rows[0], width);
  const scale = isBytes ? 1 / FIXED : 1;
  // `scale` is a power of two, and half a step is rounded up, as Pillow's shift does
  const half = isBytes ? FIXED / 2 : 0;
  const whole = isBytes ? Math.floor : (x) => x;
  let place = 0;
  for (let row = down.begin; row < down.end; row++) {
    for (let n = 0; n < width; n++) {
      const start = (row * raster.width + across.first[n]) * channels;
      for (let channel = 0; channel < channels; channel++) {
        let sum = half;
        let from = start + channel;
        for (let w = across.start[n]; w < across.start[n + 1]; w++, from += channels) {
          sum += across.weight[w] * raster.data[from];
        }
        wide.data[place++] = whole(sum * scale);
      }
    }
  }
  const length = width * channels;
  place = 0;
  for (let n = 0; n < rows[1] - rows[0]; n++) {
    const start = (down.first[n] - down.begin) * length;
    for (let sample = 0; sample < length; sample++) {
      let sum = half;
      let from = start + sample;
      for (let w = down.start[n]; w < down.start[n + 1]; w++, from += length) {
        sum += down.weight[w] * wide.data[from];
      }
      result.data[place++] = whole(sum * scale);
    }
  }
  return result;
}

/**
 * Of which source pixels each of the target's [from, end) is made.
 *
 * Window n is weight[start[n] .. start[n + 1]), over the pixels from first[n] on, and adds up to
 * 1; all windows together look at [begin, end).
 */
function windows(source, target, [from, to], method) {
  const scale = source / target;
  const filter = FILTERS[method];
  const widening = Math.max(scale, 1);
  const reach = filter.support * widening;
  const first = [];
  const start = [0];
  const weight = [];
  for (let pixel = from; pixel < to; pixel++) {
    const centre = (pixel + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(source, Math.trunc(centre + reach + 0.5));
    const raw = [];
    for (let at = begin; at < end; at++) raw.push(filter.weight((at + 0.5 - centre) / widening));
    const total = raw.reduce((a, b) => a + b);
    first.push(begin);
    for (const one of raw) weight.push(one / total);
    start.push(weight.length);
  }
  const ends = first.map((begin, n) => begin + start[n + 1] - start[n]);
  return {
    first: Int32Array.from(first),
    start: Int32Array.from(start),
    weight: Float64Array.from(weight),
    begin: ends.length ? first.reduce((a, b) => Math.min(a, b)) : 0,
    end: ends.reduce((a, b) => Math.max(a, b), 0),
  };
}

function quantize({weight}) {
  for (let n = 0; n < weight.length; n++) weight[n] = Math.round(weight[n] * FIXED);
}

function clip(values, range) {
  let least = Infinity;
  let most = -Infinity;
  for (const value of range) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  for (let n = 0; n < values.length; n++) values[n] = Math.min(most, Math.max(least, values[n]));
}
