// The page's pre- and post-processing against what Python makes of the same pictures.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {
  blurBackground, cutOut, estimateForeground, replaceBackground,
} from '../../edgemat/web/core/foreground.js';
import {coefficients, guidedUpsample} from '../../edgemat/web/core/guided.js';
import {letterbox, pad, shrink} from '../../edgemat/web/core/letterbox.js';
import {mattePortrait, matteTrimap, tensor} from '../../edgemat/web/core/matte.js';
import {resize, resizeRows} from '../../edgemat/web/core/resize.js';
import {Smoother} from '../../edgemat/web/core/smoothing.js';
import {tileAxis} from '../../edgemat/web/core/tiling.js';
import {keepKnown, trimapOfMatte} from '../../edgemat/web/core/trimap.js';
import {checkSides} from '../../edgemat/web/engine/pictures.js';
import {assertClose, assertNear, matte, matteOfBytes, picture, vectors} from './vectors.js';

const WRITTEN = 2e-5; // vectors hold five decimals
const either = (vector, n) => (n < 7 ? picture(vector) : matte(vector)); // bytes come first

test('pictures and mattes are resized as Pillow does it', () => {
  const {whole, rows} = vectors('resize');
  whole.forEach(({input, size, method, output}, n) => {
    if (method === 'nearest') return; // for trimaps, which the page makes at their full size
    assertClose(resize(either(input, n), ...size, method), output, `${method} ${n}`);
  });
  rows.forEach(({input, size, rows: wanted, output}, n) => {
    const source = n < 2 ? picture(input) : matte(input);
    assertClose(resizeRows(source, ...size, wanted), output, `rows ${n}`);
  });
});

test('the sides that a photograph may have are those of Python', () => {
  const {sides} = vectors('matte');
  assert.ok(sides.length > 0);
  for (const {size: [height, width], accepted} of sides) {
    const check = () => checkSides(height, width);
    if (accepted) check();
    else assert.throws(check, /px; each side must have/, `${width} x ${height}`);
  }
});

test('a picture lies in its frame where Python puts it', () => {
  for (const {picture: size, frame, top, left, height, width, enlarges} of vectors('letterbox').fit) {
    const [from, to] = [size, frame].map(([h, w]) => ({height: h, width: w}));
    assert.deepEqual(letterbox(from, to), {height, width, top, left, enlarges});
  }
});

test('the input is the same number for number', () => {
  const {portrait, trimap} = vectors('input');
  for (const {image, frame: [height, width], input} of portrait) {
    const feeding = {layout: 'NHWC', height, width, channels: 3, scale: 1 / 255};
    const box = letterbox(picture(image), feeding);
    const made = tensor(pad(shrink(picture(image), box), box, feeding), feeding);
    assertNear(made, input.values, WRITTEN + 1 / 255);
  }
  const [{image, trimap: known, input}] = trimap;
  const seen = [];
  const feeding = {layout: 'NHWC', height: 8, width: 8, channels: 4, scale: 1 / 255};
  const network = {feeding, run: async (x) => { seen.push(x); return new Float32Array(64); }};
  return matteTrimap(network, picture(image), picture(known)).then(() => {
    assertNear(seen[0], input.values, WRITTEN);
  });
});

test('channels come first where the manifest says so', () => {
  const raster = {height: 1, width: 2, channels: 3, data: Uint8ClampedArray.of(1, 2, 3, 4, 5, 6)};
  assert.deepEqual([...tensor(raster, {layout: 'NCHW', scale: 1})], [1, 4, 2, 5, 3, 6]);
});

test('tiles begin and weigh as in Python', () => {
  for (const {length, size, starts, weights} of vectors('tiling').axis) {
    const spans = tileAxis(length, size);
    assert.deepEqual(spans.map((span) => span.start), starts);
    if (weights) assertNear(spans.flatMap((span) => [...span.weights]), weights.values, WRITTEN);
  }
});

test('the guided filter has the coefficients and the matte of Python', () => {
  for (const {image, alpha, coefficients: fitted, output} of vectors('guided').upsample) {
    const small = resize(picture(image), alpha.shape[0], alpha.shape[1], 'bilinear');
    assertNear(coefficients(small, matte(alpha)).data, fitted.values, 1e-3);
    assertClose(guidedUpsample(matte(alpha), small, picture(image)), output);
  }
});

test('mattes of whole pictures and of tiles are those of Python', async () => {
  for (const {image, trimap, height, width, mixture, alpha} of vectors('matte').matte) {
    const channels = mixture.length;
    const feeding = {layout: 'NHWC', height, width, channels, scale: 1 / 255};
    const run = async (x) => Float32Array.from({length: height * width}, (_, n) => (
      mixture.reduce((sum, weight, c) => sum + weight * x[n * channels + c], 0)));
    let found;
    if (channels === 4) {
      found = await matteTrimap({feeding, run}, picture(image), picture(trimap));
    } else {
      found = await mattePortrait({feeding, run}, picture(image));
      if (trimap) keepKnown(found, picture(trimap));
    }
    assertClose(found, alpha);
  }
});

test('a way of feeding that is not known is refused, and not taken for a letterbox', async () => {
  const network = {feeding: {fit: 'squeeze', height: 32, width: 32}, run: async () => assert.fail()};
  const image = {height: 40, width: 40, channels: 3, data: new Float32Array(40 * 40 * 3)};
  await assert.rejects(mattePortrait(network, image), /cannot feed a model by squeeze/);
});

test('a portrait network is fed as its manifest says', async () => {
  const seen = new Set();
  for (const {fit, image, trimap, height, width, mixture, alpha} of vectors('matte').fed) {
    if (trimap) continue; // the page has portrait networks alone, but for its own
    const feeding = {layout: 'NHWC', height, width, channels: 3, scale: 1 / 255, fit};
    const run = async (x) => Float32Array.from({length: height * width}, (_, n) => (
      mixture.reduce((sum, weight, c) => sum + weight * x[n * 3 + c], 0)));
    assertNear((await mattePortrait({feeding, run}, picture(image))).data, alpha.values, 2e-4);
    seen.add(fit);
  }
  assert.deepEqual([...seen].sort(), ['pad', 'resize', 'tiles']);
});

test('a second look is taken where Python takes it', () => {
  for (const {alpha_bytes, reach, output} of vectors('refine').trimap) {
    const found = trimapOfMatte(matteOfBytes(alpha_bytes), reach ?? undefined);
    assert.deepEqual([...found.data], output.values);
  }
});

test('live mattes are steadied as those of a video, and begun anew at a cut', () => {
  const {share, frames} = vectors('smoothing');
  const smoother = new Smoother(share[0]);
  for (const {image, alpha, output} of frames) {
    assertNear(smoother.next(picture(image), matte(alpha)).data, output.values, WRITTEN);
  }
});

test('foregrounds, other backgrounds and depth of field are those of Python', () => {
  for (const {image, alpha_bytes, rgba, replaced, blurred} of vectors('foreground').cut_out) {
    const alpha = matteOfBytes(alpha_bytes);
    const foreground = estimateForeground(picture(image), alpha);
    assertClose(cutOut(foreground, alpha), rgba, 'cut-out');
    for (const {background, output} of replaced) {
      assertClose(replaceBackground(foreground, alpha, picture(background)), output, 'replaced');
    }
    for (const {radius, output} of blurred) {
      const found = blurBackground(picture(image), foreground, alpha, radius);
      assertClose(found, output, `blur ${radius}`);
    }
  }
});
