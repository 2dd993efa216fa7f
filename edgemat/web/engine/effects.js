// What becomes of a picture and its matte. An effect is {kind, colour, share, tab}: cutout,
// matte, original, colour, picture (which was given for that tab), blur (by a share of the longer
// side).
import {blurBackground, cutOut, replaceBackground, replaceByColour} from '../core/foreground.js';

/**
 * Return a raster of 1, 3 or 4 channels.
 *
 * @param scene {image, alpha, foreground(): its colours, backdrop: a picture or none, disc: see
 *   blurBackground}
 */
export function render(scene, {kind, colour, share}) {
  const {image, alpha, backdrop, disc} = scene;
  switch (kind) {
    case 'original': return image;
    case 'matte': return alpha;
    case 'cutout': return cutOut(scene.foreground(), alpha);
    case 'colour': return replaceByColour(scene.foreground(), alpha, colour);
    case 'picture':
      if (!backdrop) throw new Error('Choose a picture to put behind.');
      return replaceBackground(scene.foreground(), alpha, backdrop);
    case 'blur': {
      const radius = share * Math.max(image.height, image.width);
      return blurBackground(image, scene.foreground(), alpha, radius, disc);
    }
    default: throw new Error(`There is no effect ${kind}.`);
  }
}
