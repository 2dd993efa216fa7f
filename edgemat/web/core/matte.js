// From a picture of any size to its matte, by a network of one size; edgemat/matting in Python.
//
// A network is {feeding, run}: `feeding` is the manifest's, `run` takes a Float32Array of its input
// and promises one of its output.
import {canPad, cornerOf, reflect} from './at_once.js';
import {guidedUpsample} from './guided.js';
import {crop, letterbox, pad, shrink} from './letterbox.js';
import {bytes, floats} from './raster.js';
import {resize} from './resize.js';
import {tileAxis} from './tiling.js';
import {keepKnown, trimapOfMatte, UNKNOWN} from './trimap.js';

/** The matte of a picture by a portrait network, fed as its manifest says: by a letterbox if not. */
export async function mattePortrait(network, image) {
  const {fit, ...frame} = network.feeding;
  if (fit === 'resize') return clipped(await matteResized(network, image));
  if (fit === 'pad' && canPad(image, frame)) return clipped(await mattePadded(network, image));
  if (fit === 'pad' || fit === 'tiles') return clipped(await matteTiles(network, image));
  if (fit && fit !== 'letterbox') throw new Error(`This page cannot feed a model by ${fit}.`);
  return matteInBox(network, image);
}

async function matteInBox(network, image) {
  const box = letterbox(image, network.feeding);
  const small = shrink(image, box);
  const output = await network.run(tensor(pad(small, box, network.feeding), network.feeding));
  const alpha = crop(output, box, network.feeding);
  return clipped(box.enlarges
    ? resize(alpha, image.height, image.width, 'bilinear')
    : guidedUpsample(alpha, small, image));
}

async function matteResized({feeding, run}, image) {
  const {height, width} = feeding;
  const data = await run(tensor(resize(image, height, width, 'bicubic'), feeding));
  return resize({height, width, channels: 1, data}, image.height, image.width, 'bicubic');
}

async function mattePadded({feeding, run}, image) {
  return cornerOf(await run(tensor(reflect(image, feeding), feeding)), feeding, image);
}

/**
 * The matte of a picture and its trimap, both at full size, by a trimap network in tiles.
 *
 * @param {(done: number, total: number) => void} progress called after each tile
 */
export async function matteTrimap(network, image, trimap, progress = () => {}) {
  const alpha = clipped(await matteTiles(network, image, trimap, progress));
  keepKnown(alpha, trimap);
  return alpha;
}

// With a trimap, only tiles that touch the unknown region are run. A picture smaller than a tile is
// continued by its edge.
async function matteTiles(network, image, trimap = null, progress = () => {}) {
  const {feeding} = network;
  const axis = (side) => tileAxis(Math.max(image[side], feeding[side]), feeding[side]);
  const columns = axis('width');
  const tiles = axis('height').flatMap((down) => columns.map((across) => [down, across]))
    .filter(([down, across]) => !trimap || touchesUnknown(trimap, down, across));
  const alpha = floats(image.height, image.width);
  let done = 0;
  for (const [down, across] of tiles) {
    const input = tensor(tile(image, trimap, down, across, feeding), feeding);
    const found = await network.run(input);
    for (let row = 0; row < feeding.height && down.start + row < image.height; row++) {
      const to = (down.start + row) * image.width + across.start;
      for (let n = 0; n < feeding.width && across.start + n < image.width; n++) {
        alpha.data[to + n] += down.weights[row] * across.weights[n]
          * found[row * feeding.width + n];
      }
    }
    progress(++done, tiles.length);
  }
  return alpha;
}

/** A second look at full size, round hair and edges; edgemat/matting/refine.py in Python. */
export async function refine(network, image, coarse, progress) {
  const trimap = trimapOfMatte(coarse);
  if (!trimap.data.includes(UNKNOWN)) {
    const sure = floats(image.height, image.width);
    keepKnown(sure, trimap);
    return sure;
  }
  return matteTrimap(network, image, trimap, progress);
}

/** The network's input, of bytes that have its size. */
export function tensor(raster, feeding) {
  const {height, width, channels} = raster;
  const scale = Math.fround(feeding.scale);
  const input = new Float32Array(raster.data.length);
  if (feeding.layout === 'NHWC') {
    for (let n = 0; n < input.length; n++) input[n] = raster.data[n] * scale;
    return input;
  }
  for (let n = 0; n < input.length; n++) {
    input[(n % channels) * height * width + Math.floor(n / channels)] = raster.data[n] * scale;
  }
  return input;
}

function touchesUnknown(trimap, down, across) {
  const bottom = Math.min(trimap.height, down.start + down.weights.length);
  const right = Math.min(trimap.width, across.start + across.weights.length);
  for (let row = down.start; row < bottom; row++) {
    for (let n = row * trimap.width + across.start; n < row * trimap.width + right; n++) {
      if (trimap.data[n] === UNKNOWN) return true;
    }
  }
  return false;
}

function tile(image, trimap, down, across, {height, width}) {
  const result = bytes(height, width, trimap ? 4 : 3);
  let place = 0;
  for (let row = 0; row < height; row++) {
    const from = Math.min(down.start + row, image.height - 1) * image.width;
    for (let column = 0; column < width; column++) {
      const pixel = from + Math.min(across.start + column, image.width - 1);
      result.data[place++] = image.data[pixel * 3];
      result.data[place++] = image.data[pixel * 3 + 1];
      result.data[place++] = image.data[pixel * 3 + 2];
      if (trimap) result.data[place++] = trimap.data[pixel];
    }
  }
  return result;
}

function clipped(alpha) {
  for (let n = 0; n < alpha.data.length; n++) {
    alpha.data[n] = Math.min(1, Math.max(0, alpha.data[n]));
  }
  return alpha;
}
