// Pictures as plain objects: {height, width, channels, data}, values row by row.
//
// Of bytes, `data` is a Uint8ClampedArray, which rounds halves to even and clips, as edgemat's
// Python does; of floats a Float32Array. A picture has 3 channels (sRGB), a matte one, in 0..1.

/** A raster of zeros. */
export function bytes(height, width, channels = 1) {
  return {height, width, channels, data: new Uint8ClampedArray(height * width * channels)};
}

/** A raster of zeros. */
export function floats(height, width, channels = 1) {
  return {height, width, channels, data: new Float32Array(height * width * channels)};
}

/** A raster of the same kind as another, of another size. */
export function like(raster, height, width) {
  return (raster.data instanceof Float32Array ? floats : bytes)(height, width, raster.channels);
}

/** Rounded as Python rounds: halves to the even neighbour. */
export function round(x) {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** Both sides times a scale, at least 1: [height, width]. */
export function scaled({height, width}, scale) {
  return [Math.max(1, round(height * scale)), Math.max(1, round(width * scale))];
}

const BAND_PIXELS = 1 << 20;

/** Yield [first, end) of bands of rows of about a megapixel each. */
export function* bands({height, width}) {
  const rows = Math.max(1, Math.floor(BAND_PIXELS / width));
  for (let first = 0; first < height; first += rows) yield [first, Math.min(first + rows, height)];
}

/** The colours of a canvas' RGBA. */
export function fromRgba({height, width, data}) {
  const picture = bytes(height, width, 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    picture.data[to] = data[from];
    picture.data[to + 1] = data[from + 1];
    picture.data[to + 2] = data[from + 2];
  }
  return picture;
}

/** RGBA for a canvas, of a picture of 3 or 4 channels, or of a matte in grey. */
export function toRgba(raster) {
  const {height, width, channels} = raster;
  if (channels === 4) return new ImageData(raster.data, width, height);
  const grey = channels === 1;
  const values = raster.data instanceof Float32Array ? 255 : 1;
  const rgba = new ImageData(width, height);
  for (let from = 0, to = 0; to < rgba.data.length; from += channels, to += 4) {
    rgba.data[to] = values * raster.data[from];
    rgba.data[to + 1] = values * raster.data[grey ? from : from + 1];
    rgba.data[to + 2] = values * raster.data[grey ? from : from + 2];
    rgba.data[to + 3] = 255;
  }
  return rgba;
}
