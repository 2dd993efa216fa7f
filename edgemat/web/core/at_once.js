// A picture that is continued by its reflection to a network's input, and the matte's part of that.
import {bytes, floats} from './raster.js';

/** Whether a picture is no larger than a network's input; others are cut into tiles. */
export function canPad(picture, {height, width}) {
  return picture.height <= height && picture.width <= width;
}

/** The picture, continued to the right and below; its border is not repeated. */
export function reflect(image, {height, width}) {
  const {channels} = image;
  const result = bytes(height, width, channels);
  let place = 0;
  for (let row = 0; row < height; row++) {
    const from = reflection(row, image.height) * image.width;
    for (let column = 0; column < width; column++) {
      const pixel = (from + reflection(column, image.width)) * channels;
      for (let n = 0; n < channels; n++) result.data[place++] = image.data[pixel + n];
    }
  }
  return result;
}

/** The picture's matte out of the network's output: what lies in the corner at the upper left. */
export function cornerOf(output, frame, {height, width}) {
  const alpha = floats(height, width);
  for (let row = 0; row < height; row++) {
    const from = row * frame.width;
    alpha.data.set(output.subarray(from, from + width), row * width);
  }
  return alpha;
}

function reflection(place, length) {
  const last = length - 1;
  return last && last - Math.abs(last - place % (2 * last));
}
