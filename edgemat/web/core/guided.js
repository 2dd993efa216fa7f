// The guided filter: takes a small matte to full size along the edges of the picture (He and Sun,
// Fast Guided Filter, 2015). In flat alpha the picture's texture does not show.
import {bands, floats} from './raster.js';
import {resizeRows} from './resize.js';

const RADIUS = 2;
const EPSILON = 1e-4;
const PAIRS = [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]];

/**
 * Return a matte of the picture's size, not clipped.
 *
 * @param alpha of the reduced picture
 * @param small the picture, reduced to the size of `alpha`
 */
export function guidedUpsample(alpha, small, image) {
  const fitted = coefficients(small, alpha);
  const result = floats(image.height, image.width);
  for (const rows of bands(image)) {
    const large = resizeRows(fitted, image.height, image.width, rows).data;
    let pixel = rows[0] * image.width;
    for (let k = 0; k < large.length; k += 4, pixel++) {
      const at = pixel * 3;
      const colours = large[k] * image.data[at] + large[k + 1] * image.data[at + 1]
        + large[k + 2] * image.data[at + 2];
      result.data[pixel] = colours / 255 + large[k + 3];
    }
  }
  return result;
}

/**
 * The coefficients of the filter, four channels: a for red, green, blue, and b.
 *
 * In each window `target = a . guide + b` by least squares with the penalty EPSILON |a|^2 (He et
 * al., Guided Image Filtering, TPAMI 2013, equations 19 and 20); then their means over all windows
 * that contain a pixel.
 */
export function coefficients(guide, target) {
  const {height, width} = guide;
  const count = height * width;
  const mean = windowMeans(height, width);
  // doubles, because a covariance is a small difference of large numbers
  const colours = [0, 1, 2].map((c) => {
    const plane = new Float64Array(count);
    for (let n = 0; n < count; n++) plane[n] = guide.data[n * 3 + c] / 255;
    return plane;
  });
  const values = Float64Array.from(target.data);
  const meanColours = colours.map(mean);
  const meanValue = mean(values);
  const covariance = (x, y, meanX, meanY) => {
    const product = new Float64Array(count);
    for (let n = 0; n < count; n++) product[n] = x[n] * y[n];
    const result = mean(product);
    for (let n = 0; n < count; n++) result[n] -= meanX[n] * meanY[n];
    return result;
  };
  const withValue = colours.map((x, c) => covariance(x, values, meanColours[c], meanValue));
  const variance = PAIRS.map(([i, j]) => (
    covariance(colours[i], colours[j], meanColours[i], meanColours[j])));
  const planes = [0, 1, 2, 3].map(() => new Float64Array(count));
  const a = new Float64Array(3);
  for (let n = 0; n < count; n++) {
    solveSymmetric(
      a, variance[0][n] + EPSILON, variance[1][n], variance[2][n],
      variance[3][n] + EPSILON, variance[4][n], variance[5][n] + EPSILON,
      withValue[0][n], withValue[1][n], withValue[2][n],
    );
    planes[3][n] = meanValue[n];
    for (let c = 0; c < 3; c++) {
      planes[c][n] = a[c];
      planes[3][n] -= a[c] * meanColours[c][n];
    }
  }
  const result = floats(height, width, 4);
  planes.forEach((plane, c) => {
    const means = mean(plane);
    for (let n = 0; n < count; n++) result.data[n * 4 + c] = means[n];
  });
  return result;
}

/** Return what takes the means of a plane over windows of 2 RADIUS + 1 pixels, cut off at borders. */
function windowMeans(height, width) {
  const across = new Float64Array(height * width);
  const size = (at, length) => Math.min(at + RADIUS, length - 1) - Math.max(at - RADIUS, 0) + 1;
  return (plane) => {
    for (let row = 0; row < height; row++) {
      const first = row * width;
      for (let column = 0; column < width; column++) {
        const end = first + Math.min(width - 1, column + RADIUS);
        let sum = 0;
        for (let n = first + Math.max(0, column - RADIUS); n <= end; n++) sum += plane[n];
        across[first + column] = sum / size(column, width);
      }
    }
    const result = new Float64Array(height * width);
    for (let row = 0; row < height; row++) {
      const begin = Math.max(0, row - RADIUS) * width;
      const end = (Math.min(height - 1, row + RADIUS) + 1) * width;
      const share = 1 / size(row, height);
      for (let column = 0; column < width; column++) {
        let sum = 0;
        for (let n = begin + column; n < end; n += width) sum += across[n];
        result[row * width + column] = sum * share;
      }
    }
    return result;
  };
}

/** Solve a symmetric 3 x 3 system, given its upper triangle, by the adjugate; into `result`. */
function solveSymmetric(result, rr, rg, rb, gg, gb, bb, x, y, z) {
  const c00 = gg * bb - gb * gb;
  const c01 = rb * gb - rg * bb;
  const c02 = rg * gb - rb * gg;
  const c12 = rg * rb - rr * gb;
  const determinant = rr * c00 + rg * c01 + rb * c02;
  result[0] = (c00 * x + c01 * y + c02 * z) / determinant;
  result[1] = (c01 * x + (rr * bb - rb * rb) * y + c12 * z) / determinant;
  result[2] = (c02 * x + c12 * y + (rr * gg - rg * rg) * z) / determinant;
}
