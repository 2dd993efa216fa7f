// A PNG with the colours as they are, marked as sRGB. A canvas would not do: it holds colours
// multiplied by alpha, so that the faint ends of strands come back in other colours than they went.
import {bands} from './raster.js';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const COLOUR_TYPES = {1: 0, 3: 2, 4: 6};
const PERCEPTUAL = 0;
const SUB = 1; // the filter: each byte less the one a pixel before

/** Return a Blob of a picture of 3 or 4 channels, or of a matte in grey. */
export async function encodePng(raster) {
  const {height, width, channels} = raster;
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8);
  header.setUint8(9, COLOUR_TYPES[channels]);
  const packed = new Response(filtered(raster).pipeThrough(new CompressionStream('deflate')));
  return new Blob([
    SIGNATURE,
    ...chunk('IHDR', new Uint8Array(header.buffer)),
    ...chunk('sRGB', Uint8Array.of(PERCEPTUAL)),
    ...chunk('IDAT', new Uint8Array(await packed.arrayBuffer())),
    ...chunk('IEND', new Uint8Array()),
  ], {type: 'image/png'});
}

/** A stream of the filtered rows, some at a time: a large picture is not copied as a whole. */
function filtered(raster) {
  const {width, channels} = raster;
  const isFloat = raster.data instanceof Float32Array;
  const length = width * channels;
  const parts = bands(raster);
  return new ReadableStream({
    pull(controller) {
      const {value: rows, done} = parts.next();
      if (done) {
        controller.close();
        return;
      }
      const [first, end] = rows;
      const slice = raster.data.subarray(first * length, end * length);
      const values = isFloat ? Uint8ClampedArray.from(slice, (alpha) => alpha * 255) : slice;
      const lines = new Uint8Array((end - first) * (length + 1));
      let place = 0;
      for (let start = 0; start < values.length; start += length) {
        lines[place++] = SUB;
        for (let n = 0; n < length; n++) {
          lines[place++] = values[start + n] - (n < channels ? 0 : values[start + n - channels]);
        }
      }
      controller.enqueue(lines);
    },
  });
}

function chunk(type, content) {
  const named = new Uint8Array(4 + content.length);
  named.set(Uint8Array.from(type, (letter) => letter.charCodeAt(0)));
  named.set(content, 4);
  return [bigEndian(content.length), named, bigEndian(crc(named))];
}

function bigEndian(number) {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, number);
  return new Uint8Array(view.buffer);
}

const TABLE = Uint32Array.from({length: 256}, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc(content) {
  let value = 0xffffffff;
  for (const byte of content) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
