// From what a browser has decoded to a raster: upright and in sRGB, as the canvas has it.
import {fromRgba} from '../core/raster.js';

export const LEAST_SIDE = 32;
export const MOST_SIDE = 12_000;
// Safari's canvases have no more, and a phone's memory does not hold much more either.
export const MOST_PIXELS = 4096 * 4096;

/** Return {image, reduced}: a photograph, made smaller where it is too large for a phone. */
export function readPhoto(bitmap) {
  const {height, width} = bitmap;
  checkSides(height, width);
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (height * width)));
  return {image: read(bitmap, scale, false), reduced: scale < 1};
}

/** Throw an error for a photograph that is too small or too large, as Python has it. */
export function checkSides(height, width) {
  if (Math.min(height, width) < LEAST_SIDE || Math.max(height, width) > MOST_SIDE) {
    throw new Error(`The photograph is ${width} x ${height} px; each side must have `
      + `${LEAST_SIDE} to ${MOST_SIDE} px.`);
  }
}

/** Return a camera's frame with a longer side of at most `side`. */
export function readFrame(bitmap, side) {
  return read(bitmap, Math.min(1, side / Math.max(bitmap.height, bitmap.width)), true);
}

let kept; // a live picture has the same size each time

function read(bitmap, scale, keep) {
  const height = Math.floor(bitmap.height * scale);
  const width = Math.floor(bitmap.width * scale);
  const fits = kept?.height === height && kept.width === width;
  const canvas = fits ? kept : new OffscreenCanvas(width, height);
  if (keep) kept = canvas;
  const context = canvas.getContext('2d', {willReadFrequently: true, colorSpace: 'srgb'});
  context.fillStyle = 'white'; // where a picture is transparent
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return fromRgba(context.getImageData(0, 0, width, height));
}
