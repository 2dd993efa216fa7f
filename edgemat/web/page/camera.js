// A live picture: each frame is matted and shown before what is put behind it.
import {Backdrop} from './backdrop.js';
import {find, say, trying} from './say.js';

const WISHES = {width: {ideal: 1280}, height: {ideal: 720}};
const SMOOTHING = 0.1; // of the pictures a second that are shown
const REFUSALS = {
  NotAllowedError: 'The camera was not permitted. Permit it in the browser\'s settings of this page.',
  NotFoundError: 'There is no camera.',
  NotReadableError: 'Another program has the camera.',
  OverconstrainedError: 'There is no such camera.',
};

export class CameraTab {
  #engine;
  #behind;
  #taken;
  #stream = null;
  #stops = 0;
  #facing = 'user';

  /** @param taken called with a promise of the frame that was taken as a photo */
  constructor(engine, taken) {
    this.#engine = engine;
    this.#taken = taken;
    const root = document.querySelector('[data-backdrop=camera-behind]');
    this.#behind = new Backdrop(root, engine, (first) => trying(first ?? (async () => {})), 'blur');
    find('start').addEventListener('click', () => (this.#stream ? this.stop() : this.#start()));
    find('turn').addEventListener('click', () => {
      this.#facing = this.#facing === 'user' ? 'environment' : 'user';
      this.stop();
      this.#start();
    });
    find('take').addEventListener('click', () => this.#take());
  }

  /** Let the camera go. */
  stop() {
    this.#stops++;
    letGo(this.#stream);
    this.#stream = null;
    this.#arrange();
  }

  async #start() {
    const stops = this.#stops; // one who is asked for permission may turn to another tab meanwhile
    find('start').disabled = true;
    await trying(async () => {
      if (!navigator.mediaDevices) throw new Error('The camera needs HTTPS, or localhost.');
      say('Starting the camera …');
      await this.#engine.ask('live');
      const stream = await this.#open();
      try {
        if (this.#stops === stops) await play(stream);
        if (this.#stops === stops) this.#begin(stream);
        else say('The camera is off.');
      } finally {
        if (this.#stream !== stream) letGo(stream);
      }
    });
    find('start').disabled = false;
  }

  async #open() {
    try {
      return await navigator.mediaDevices.getUserMedia(
        {video: {...WISHES, facingMode: this.#facing}, audio: false});
    } catch (error) {
      throw new Error(REFUSALS[error.name] ?? error.message);
    }
  }

  #begin(stream) {
    this.#stream = stream;
    const {facingMode} = stream.getVideoTracks()[0].getSettings();
    // one's own picture is shown as in a mirror
    find('live').classList.toggle('mirrored', (facingMode ?? this.#facing) === 'user');
    this.#arrange();
    say('The camera is on. Nothing leaves this device.');
    this.#run(stream);
  }

  /** Show frames until another stream, or none, takes this one's place. */
  async #run(stream) {
    const context = find('live').getContext('2d');
    let last = performance.now();
    let rate = 0;
    const shown = await trying(async () => {
      while (this.#stream === stream) {
        const bitmap = await createImageBitmap(find('video'));
        const {effect} = this.#behind;
        const steady = find('steady').checked;
        const {pixels} = await this.#engine.ask('frame', {bitmap, effect, steady});
        if (this.#stream !== stream) break;
        const {canvas} = context;
        if (canvas.width !== pixels.width || canvas.height !== pixels.height) {
          Object.assign(canvas, {width: pixels.width, height: pixels.height});
        }
        context.putImageData(pixels, 0, 0);
        const now = performance.now();
        const current = 1000 / (now - last);
        rate = rate ? rate + SMOOTHING * (current - rate) : current;
        last = now;
        find('rate').textContent = `${rate.toFixed(1)} pictures a second`;
        await new Promise(requestAnimationFrame); // waits while the page is hidden
      }
      return true;
    });
    if (!shown && this.#stream === stream) this.stop();
  }

  #take() {
    const video = find('video');
    const frame = createImageBitmap(video);
    frame.finally(() => this.stop());
    this.#taken(frame);
  }

  #arrange() {
    const on = this.#stream !== null;
    find('start').textContent = on ? 'Stop the camera' : 'Start the camera';
    for (const id of ['turn', 'take']) find(id).disabled = !on;
    find('rate').hidden = !on;
  }
}

async function play(stream) {
  find('video').srcObject = stream;
  await find('video').play();
}

function letGo(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
