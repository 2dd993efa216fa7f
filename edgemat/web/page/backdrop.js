// The controls for what lies behind: nothing, a blur, a colour, a picture.
import {find} from './say.js';

/**
 * Puts the controls into an element. `changed` is called after each choice, with what must be done
 * first, if anything.
 */
export class Backdrop {
  #root;
  #engine;
  #hasPicture = false;

  constructor(root, engine, changed, chosen) {
    this.#root = root;
    this.#engine = engine;
    root.append(find('backdrop').content.cloneNode(true));
    for (const radio of this.#all('[type=radio]')) {
      radio.name = this.#tab;
      radio.checked = radio.value === chosen;
    }
    root.addEventListener('input', ({target}) => {
      if (target.type === 'file') this.#takePicture(target.files[0], changed);
      this.#arrange();
      if (target.type !== 'file') changed();
    });
    this.#arrange();
  }

  /** The effect that is chosen; see engine/effects.js. */
  get effect() {
    const chosen = this.#chosen;
    const kind = chosen === 'picture' && !this.#hasPicture ? 'cutout' : chosen;
    const hex = this.#one('.colour').value;
    const colour = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return {kind, colour, share: Number(this.#one('.share').value), tab: this.#tab};
  }

  get #tab() {
    return this.#root.dataset.backdrop;
  }

  get #chosen() {
    return this.#one('[type=radio]:checked').value;
  }

  set hidden(value) {
    this.#root.hidden = value;
  }

  async #takePicture(file, changed) {
    if (!file) return;
    await changed(async () => {
      await this.#engine.ask('backdrop', {bitmap: await decode(file), tab: this.#tab});
      this.#hasPicture = true;
    });
  }

  #arrange() {
    for (const row of this.#all('[data-for]')) row.hidden = row.dataset.for !== this.#chosen;
  }

  #one(selector) { return this.#root.querySelector(selector); }

  #all(selector) { return this.#root.querySelectorAll(selector); }
}

/** Decode a picture file, turned as its EXIF orientation says, in sRGB. */
export async function decode(file) {
  try {
    return await createImageBitmap(file, {imageOrientation: 'from-image'});
  } catch {
    throw new Error(`${file.name || 'This file'} is not a picture that this browser can read.`);
  }
}
