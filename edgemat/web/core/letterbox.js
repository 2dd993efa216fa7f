// Where a picture lies inside a model's input: scaled with its aspect ratio kept, centred.
import {bytes, floats, scaled} from './raster.js';
import {resize} from './resize.js';

/** Fit a picture of a size into a frame: height, width, top, left, and whether it is enlarged. */
export function letterbox(picture, frame) {
  const scale = Math.min(frame.height / picture.height, frame.width / picture.width);
  const [height, width] = scaled(picture, scale);
  return {
    height,
    width,
    top: Math.floor((frame.height - height) / 2),
    left: Math.floor((frame.width - width) / 2),
    enlarges: scale >= 1,
  };
}

/** The picture, scaled to lie inside the frame. */
export function shrink(image, box) {
  return resize(image, box.height, box.width, box.enlarges ? 'bicubic' : 'bilinear');
}

/** The scaled picture with its edge repeated over the margins of the frame. */
export function pad(small, box, {height, width}) {
  const result = bytes(height, width, small.channels);
  let place = 0;
  for (let row = 0; row < height; row++) {
    const from = Math.min(Math.max(row - box.top, 0), box.height - 1) * box.width;
    for (let column = 0; column < width; column++) {
      const pixel = from + Math.min(Math.max(column - box.left, 0), box.width - 1);
      for (let channel = 0; channel < small.channels; channel++) {
        result.data[place++] = small.data[pixel * small.channels + channel];
      }
    }
  }
  return result;
}

/** The picture's matte out of the network's output, a frame of floats. */
export function crop(output, box, frame) {
  const alpha = floats(box.height, box.width);
  for (let row = 0; row < box.height; row++) {
    const from = (box.top + row) * frame.width + box.left;
    alpha.data.set(output.subarray(from, from + box.width), row * box.width);
  }
  return alpha;
}
