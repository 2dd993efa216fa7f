// What the page asks of the worker: each job takes its arguments and a function for progress.
import {mattePortrait, refine} from '../core/matte.js';
import {estimateForeground} from '../core/foreground.js';
import {encodePng} from '../core/png.js';
import {toRgba} from '../core/raster.js';
import {Smoother} from '../core/smoothing.js';
import {openBest} from './choice.js';
import {render} from './effects.js';
import {measureModels} from './measuring.js';
import {readFrame, readPhoto} from './pictures.js';
import {loadRuntime, mostThreads, openNetwork} from './runtime.js';

const USUAL_THREADS = 4; // phones have four fast cores or fewer
const FRAME_SIDE = 640; // of a live picture, px
const FRAME_DISC = 3; // of its blur: a sixteenth of the work that a photograph's takes
const SMOOTHING = 0.3; // as `edgemat matte --smooth` has it for videos

let portrait; // the network
let second; // {entry, threads, network}: the trimap network, loaded when it is first asked for
let scene; // the photograph that is worked on
let smoother = new Smoother(SMOOTHING);
const backdrops = new Map(); // tab to the picture that was chosen there

export const JOBS = {
  /** Load the portrait network; tells who computes. */
  async open({portraitEntry, trimapEntry}) {
    const possible = await mostThreads();
    await loadRuntime(possible);
    const usual = Math.min(USUAL_THREADS, possible);
    const {network, ms} = await openBest(portraitEntry, usual);
    portrait = network;
    // a GPU's one thread says nothing of the processor, which refines
    const threads = network.delegate === 'xnnpack' ? network.threads : usual;
    second = trimapEntry && {entry: trimapEntry, threads, network: null};
    return {delegate: network.delegate, threads: network.threads, possible, ms};
  },

  /** Take a photograph and matte it. */
  async photo({bitmap}) {
    const {image, reduced} = readPhoto(bitmap);
    const start = performance.now();
    const alpha = await mattePortrait(portrait, image);
    scene = makeScene(image, alpha);
    const {height, width} = image;
    return {height, width, reduced, ms: performance.now() - start};
  },

  /** Look at hair and edges again, at full size, with the trimap network. */
  async refine(_, progress) {
    second.network ??= await openNetwork(second.entry, 'xnnpack', second.threads);
    const {image, alpha} = scene;
    scene = makeScene(image, await refine(second.network, image, alpha, (done, total) => {
      progress({done, total});
    }));
  },

  /** Return the photograph with an effect, as ImageData. */
  show({effect}) {
    return {pixels: toRgba(renderScene(effect))};
  },

  /** Return it as a PNG. */
  async save({effect}) {
    return {png: await encodePng(renderScene(effect))};
  },

  /** Take the picture to put behind in a tab. */
  backdrop({bitmap, tab}) {
    backdrops.set(tab, readPhoto(bitmap).image);
  },

  /** Begin a live picture. */
  live() {
    smoother = new Smoother(SMOOTHING);
  },

  /**
   * Matte a camera's frame. Colours at the edge are the frame's own: estimating the foreground's
   * takes longer than a live picture lasts.
   */
  async frame({bitmap, effect, steady}) {
    const image = readFrame(bitmap, FRAME_SIDE);
    let alpha = await mattePortrait(portrait, image);
    if (steady) alpha = smoother.next(image, alpha);
    const backdrop = backdrops.get(effect.tab);
    const live = {image, alpha, backdrop, foreground: () => image, disc: FRAME_DISC};
    return {pixels: toRgba(render(live, effect))};
  },

  measure: measureModels,
};

function renderScene(effect) {
  return render({...scene, backdrop: backdrops.get(effect.tab)}, effect);
}

function makeScene(image, alpha) {
  let foreground;
  return {image, alpha, foreground: () => (foreground ??= estimateForeground(image, alpha))};
}
