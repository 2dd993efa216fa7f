// What is known of each pixel: 0 background, 128 unknown, 255 foreground.
import {bytes, round} from './raster.js';

export const BACKGROUND = 0;
export const UNKNOWN = 128;
export const FOREGROUND = 255;
const SURE_BACKGROUND = Math.fround(0.05);
const SURE_FOREGROUND = Math.fround(0.95);
const SOFT_REACH = 3; // times the reach, round what is soft over more than that

/**
 * The trimap that a matte suggests by its uncertainty; edgemat/matting/unknown.py in Python.
 *
 * @param reach pixels; by default a hundredth of the longer side
 */
export function trimapOfMatte(alpha, reach = defaultReach(alpha)) {
  const {height, width, data} = alpha;
  const mask = (belongs) => Uint8Array.from(data, (_, n) => (belongs(n) ? 1 : 0));
  const near = (marked, within) => nearby(marked, height, width, within);
  const background = mask((n) => data[n] <= SURE_BACKGROUND);
  const foreground = mask((n) => data[n] >= SURE_FOREGROUND);
  const byBackground = near(background, reach);
  const byForeground = near(foreground, reach);
  const byUnsure = near(mask((n) => !background[n] && !foreground[n]), reach);
  // what is unsure, and far from all that is sure
  const soft = mask((n) => !byBackground[n] && !byForeground[n]);
  const bySoft = near(soft, SOFT_REACH * reach);
  const trimap = bytes(height, width);
  for (let n = 0; n < data.length; n++) {
    const open = (byBackground[n] && byForeground[n]) || byUnsure[n] || bySoft[n];
    if (open) trimap.data[n] = UNKNOWN;
    else trimap.data[n] = foreground[n] ? FOREGROUND : BACKGROUND;
  }
  return trimap;
}

function defaultReach({height, width}) {
  return Math.max(1, round(Math.max(height, width) / 100));
}

/** Mark all pixels whose Euclidean distance to a marked one is at most `reach`. */
function nearby(marked, height, width, reach) {
  // The distance along columns, at most reach + 1.
  const far = reach + 1;
  const down = Int32Array.from(marked, (one) => (one ? 0 : far));
  for (let n = width; n < down.length; n++) down[n] = Math.min(down[n], down[n - width] + 1);
  for (let n = down.length - width - 1; n >= 0; n--) {
    down[n] = Math.min(down[n], down[n + width] + 1);
  }
  // Each such distance marks an interval of the row.
  const half = Int32Array.from({length: far}, (_, d) => Math.floor(Math.sqrt(reach ** 2 - d ** 2)));
  const result = new Uint8Array(marked.length);
  const steps = new Int32Array(width + 1);
  for (let row = 0; row < height; row++) {
    steps.fill(0);
    for (let column = 0; column < width; column++) {
      const distance = down[row * width + column];
      if (distance === far) continue;
      steps[Math.max(0, column - half[distance])]++;
      steps[Math.min(width, column + half[distance] + 1)]--;
    }
    for (let column = 0, open = 0; column < width; column++) {
      open += steps[column];
      result[row * width + column] = open > 0 ? 1 : 0;
    }
  }
  return result;
}

/** Write the known pixels of a trimap over a matte of the same size. */
export function keepKnown(alpha, trimap) {
  for (let n = 0; n < alpha.data.length; n++) {
    if (trimap.data[n] === BACKGROUND) alpha.data[n] = 0;
    else if (trimap.data[n] === FOREGROUND) alpha.data[n] = 1;
  }
}
