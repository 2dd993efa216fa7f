// Uses of a matte: cut out, another background, a blurred one; edgemat/matting/foreground.py.
//
// Colours are mixed as they are stored (gamma encoded), because that is how mattes are trained
// and measured.
import {bands, bytes, floats, round, scaled} from './raster.js';
import {resize, resizeRows} from './resize.js';
import {estimateLayers} from './layers.js';

const ESTIMATE_PIXELS = 1_000_000; // colours of larger pictures are estimated on a reduced copy
const DISC = 6; // the radius of a blur, in pixels of a reduced picture
// Keeps the blur finite where no background is in reach, and where therefore none is seen.
const NO_BACKGROUND = Math.fround(1e-6);

/**
 * The colours of the foreground alone, where it shows through and beyond, 3 channels.
 *
 * At full size the smooth layers F and B are moved, by the smallest step, to where
 * `alpha F + (1 - alpha) B` is the picture again: strands keep their sharpness.
 */
export function estimateForeground(image, alpha) {
  const scale = Math.min(1, Math.sqrt(ESTIMATE_PIXELS / alpha.data.length));
  const small = scaled(image, scale);
  const layers = estimateLayers(
    resize(image, ...small, 'bilinear'), resize(alpha, ...small, 'bilinear'));
  const result = bytes(image.height, image.width, 3);
  for (const rows of bands(image)) {
    const both = resizeRows(layers, image.height, image.width, rows).data;
    let n = rows[0] * image.width;
    for (let k = 0; k < both.length; k += 6, n++) {
      const a = alpha.data[n];
      const gain = a / (a * a + (1 - a) * (1 - a));
      for (let c = 0; c < 3; c++) {
        const missing = image.data[n * 3 + c] / 255 - a * both[k + c] - (1 - a) * both[k + 3 + c];
        result.data[n * 3 + c] = 255 * (both[k + c] + gain * missing);
      }
    }
  }
  return result;
}

/** The foreground as RGBA, colours not multiplied by alpha. */
export function cutOut(foreground, alpha) {
  const result = bytes(alpha.height, alpha.width, 4);
  for (let n = 0; n < alpha.data.length; n++) {
    for (let c = 0; c < 3; c++) result.data[n * 4 + c] = foreground.data[n * 3 + c];
    result.data[n * 4 + 3] = 255 * alpha.data[n];
  }
  return result;
}

/** The foreground before another picture, whose centre is cropped and resized. */
export function replaceBackground(foreground, alpha, background) {
  return composite(foreground, centre(background, alpha), alpha);
}

/** The foreground before one colour, [red, green, blue] of 0..255. */
export function replaceByColour(foreground, alpha, colour) {
  const single = bytes(1, 1, 3);
  single.data.set(colour);
  return composite(foreground, single, alpha);
}

/**
 * Blur the background as a wide aperture does.
 *
 * Of the background alone, `(1 - alpha) B = I - alpha F`, the mean over a disc is taken and
 * divided by that of `1 - alpha`, so that the foreground's colour does not bleed into it.
 *
 * @param radius of the disc, in pixels of the picture
 * @param disc its radius in the reduced picture that is blurred: a smaller one is coarser and quick
 */
export function blurBackground(image, foreground, alpha, radius, disc = DISC) {
  const behind = bytes(image.height, image.width, 3);
  for (let n = 0, i = 0; n < alpha.data.length; n++) {
    const a = alpha.data[n];
    for (const end = i + 3; i < end; i++) behind.data[i] = image.data[i] - a * foreground.data[i];
  }
  // A large disc is as good on a reduced picture, and quick.
  const factor = Math.max(1, round(radius / disc));
  const small = [image.height, image.width].map((side) => Math.max(1, round(side / factor)));
  const soft = blur(
    resize(behind, ...small, 'area'), resize(alpha, ...small, 'area'), radius / factor);
  return composite(foreground, soft, alpha);
}

/** `alpha F + (1 - alpha) B`; the background is resized to the foreground's size. */
export function composite(foreground, background, alpha) {
  const {height, width} = foreground;
  const result = bytes(height, width, 3);
  for (const rows of bands(foreground)) {
    const behind = resizeRows(background, height, width, rows).data;
    let n = rows[0] * width;
    let i = n * 3;
    for (let k = 0; k < behind.length; n++) {
      const a = alpha.data[n];
      for (const end = k + 3; k < end; k++, i++) {
        result.data[i] = a * foreground.data[i] + (1 - a) * behind[k];
      }
    }
  }
  return result;
}

function centre(background, size) {
  const scale = Math.min(background.height / size.height, background.width / size.width);
  const [height, width] = scaled(size, scale);
  const top = Math.floor((background.height - height) / 2);
  const left = Math.floor((background.width - width) / 2);
  const result = bytes(height, width, 3);
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * background.width + left) * 3;
    result.data.set(background.data.subarray(from, from + width * 3), row * width * 3);
  }
  return result;
}

function blur(premultiplied, alpha, radius) {
  const taps = discOf(radius);
  const cover = floats(alpha.height, alpha.width);
  for (let n = 0; n < cover.data.length; n++) cover.data[n] = 1 - alpha.data[n];
  const weight = discMean(cover, taps);
  const colours = {...premultiplied, data: Float32Array.from(premultiplied.data)};
  const mean = discMean(colours, taps);
  const result = bytes(alpha.height, alpha.width, 3);
  for (let i = 0; i < result.data.length; i++) {
    result.data[i] = mean[i] / (Math.max(weight[Math.floor(i / 3)], 0) + NO_BACKGROUND);
  }
  return result;
}

/** [down, across, weight] of a disc, whose rim counts as much as it lies inside. */
function discOf(radius) {
  const reach = Math.ceil(radius);
  const taps = [];
  for (let down = -reach; down <= reach; down++) {
    for (let across = -reach; across <= reach; across++) {
      const inside = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(down, across)));
      if (inside > 0) taps.push([down, across, inside]);
    }
  }
  const total = taps.reduce((sum, tap) => sum + tap[2], 0);
  return taps.map(([down, across, inside]) => [down, across, inside / total]);
}

/** The mean over a disc around each pixel; beyond the borders lie zeros. */
function discMean({height, width, channels, data}, taps) {
  const result = new Float32Array(data.length);
  for (const [down, across, weight] of taps) {
    const first = Math.max(0, -across);
    const end = Math.min(width, width - across);
    for (let row = Math.max(0, -down); row < Math.min(height, height - down); row++) {
      let to = (row * width + first) * channels;
      let from = ((row + down) * width + first + across) * channels;
      for (const stop = (row * width + end) * channels; to < stop;) {
        result[to++] += weight * data[from++];
      }
    }
  }
  return result;
}
