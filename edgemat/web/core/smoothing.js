// Mattes of a live picture, steadied over time; edgemat/matting/smoothing.py in Python.
import {floats} from './raster.js';
import {resize} from './resize.js';

// A frame is compared with the one before at this size: small motions do not show there.
const GLANCE = [18, 32];
// Mean difference of colours in 0..1 that is a cut; a person who moves makes a tenth of it.
const CUT = 0.12;

/** An exponential mean of mattes, pixel by pixel, begun anew at every cut. */
export class Smoother {
  /** @param {number} share what stays of the matte before, 0 to below 1 */
  constructor(share) {
    this.share = Math.fround(share);
    this.before = null;
    this.glance = null;
  }

  /** Return the smoothed matte of the next frame. */
  next(image, alpha) {
    const glance = resize(image, ...GLANCE, 'area').data;
    let result = alpha;
    if (this.before !== null && !this.#isCut(glance, alpha)) {
      result = floats(alpha.height, alpha.width);
      for (let n = 0; n < result.data.length; n++) {
        result.data[n] = this.share * this.before.data[n] + (1 - this.share) * alpha.data[n];
      }
    }
    this.before = result;
    this.glance = glance;
    return result;
  }

  #isCut(glance, alpha) {
    if (this.before.height !== alpha.height || this.before.width !== alpha.width) return true;
    let sum = 0;
    for (let n = 0; n < glance.length; n++) sum += Math.abs(glance[n] - this.glance[n]);
    return sum / glance.length / 255 > CUT;
  }
}
