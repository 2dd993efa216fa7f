// A photograph: chosen, matted, shown before whatever is put behind it, refined, saved.
import {Backdrop, decode} from './backdrop.js';
import {download, find, say, showProgress, trying} from './say.js';

export class PhotoTab {
  #engine;
  #behind;
  #stem;
  #drawing = Promise.resolve();

  constructor(engine, {canRefine}) {
    this.#engine = engine;
    const root = document.querySelector('[data-backdrop=photo-behind]');
    this.#behind = new Backdrop(root, engine, (first) => this.#draw(first), 'cutout');
    find('refine').hidden = !canRefine;
    find('refine').addEventListener('click', () => this.#refine());
    find('save').addEventListener('click', () => this.#save());
    for (const view of document.querySelectorAll('[name=view]')) {
      view.addEventListener('change', () => this.#draw());
    }
    find('file').addEventListener('change', ({target}) => {
      if (target.files.length) this.open(target.files[0]);
      target.value = ''; // the same may be chosen again
    });
    addEventListener('paste', ({clipboardData}) => this.#takeFirst(clipboardData));
    addEventListener('dragover', (event) => {
      event.preventDefault();
      find('drop').classList.add('over');
    });
    addEventListener('dragleave', () => find('drop').classList.remove('over'));
    addEventListener('drop', (event) => {
      event.preventDefault();
      find('drop').classList.remove('over');
      this.#takeFirst(event.dataTransfer);
    });
  }

  /** Matte a file. */
  open(file) {
    return this.matte(() => decode(file), file.name?.replace(/\.[^.]*$/, '') || undefined);
  }

  /** Matte what a function promises: a bitmap; what is saved has a name that begins with `stem`. */
  matte(promise, stem = 'photograph') {
    return trying(async () => {
      say('Cutting out …');
      const {height, width, reduced, ms} = await this.#engine.ask('photo', {bitmap: await promise()});
      this.#stem = stem;
      await this.#show();
      find('result').hidden = false;
      find('refine').disabled = false;
      const size = `${width} x ${height} px${reduced ? ', made smaller for this device' : ''}`;
      say(`Cut out in ${Math.round(ms)} ms, ${size}.`);
    });
  }

  #takeFirst({files}) {
    if (files.length) this.open(files[0]);
  }

  get #effect() {
    const view = document.querySelector('[name=view]:checked').value;
    return view === 'cutout' ? this.#behind.effect : {kind: view};
  }

  async #show() {
    this.#behind.hidden = this.#effect.kind === 'matte' || this.#effect.kind === 'original';
    const {pixels} = await this.#engine.ask('show', {effect: this.#effect});
    const canvas = find('picture');
    Object.assign(canvas, {width: pixels.width, height: pixels.height});
    canvas.getContext('2d').putImageData(pixels, 0, 0);
  }

  /** Show again, after `first` is done; of several calls the last is what is seen. */
  #draw(first = async () => {}) {
    this.#drawing = this.#drawing.then(() => trying(async () => {
      await first();
      if (!find('result').hidden) await this.#show();
    }));
    return this.#drawing;
  }

  async #refine() {
    find('refine').disabled = true;
    const refined = await trying(async () => {
      say('Looking at hair and edges again …');
      const start = performance.now();
      await this.#engine.ask('refine', {}, showProgress);
      await this.#show();
      say(`Refined in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
      return true;
    });
    if (!refined) find('refine').disabled = false;
  }

  #save() {
    return trying(async () => {
      const {kind} = this.#effect;
      const {png} = await this.#engine.ask('save', {effect: this.#effect});
      download(png, `${this.#stem}-${kind}.png`);
    });
  }
}
