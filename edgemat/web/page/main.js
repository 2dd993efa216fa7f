// Starts the page: what the browser can do, the service worker, the networks, then the three tabs.
import {install, requireAble} from './able.js';
import {BenchmarkTab} from './benchmark.js';
import {CameraTab} from './camera.js';
import {Engine} from './engine.js';
import {PhotoTab} from './photo.js';
import {find, say, trying} from './say.js';

const NAMES = {xnnpack: 'the processor', webgpu: 'the GPU'};
const tabs = document.querySelectorAll('[name=tab]');

await trying(async () => {
  requireAble();
  say('Loading: once, then the page works without a network.');
  const notInstalled = await install();
  const {models} = await (await fetch('models/manifest.json')).json();
  const [{package: litert}] = await (await fetch('litert/sources.json')).json();
  const runtime = litert.split('@').at(-1);
  const byTask = (task) => models.find((model) => model.task === task);
  const engine = new Engine();
  const trimapEntry = byTask('trimap');
  const told = await engine.ask('open', {portraitEntry: byTask('portrait'), trimapEntry});
  const photo = new PhotoTab(engine, {canRefine: trimapEntry !== undefined});
  const camera = new CameraTab(engine, (frame) => {
    open('photo');
    photo.matte(() => frame);
  });
  new BenchmarkTab(models, runtime, told.possible);

  /** Show one tab; a camera that is not seen is let go. */
  function open(name) {
    for (const tab of tabs) {
      tab.checked = tab.value === name;
      find(tab.value).hidden = tab.value !== name;
    }
    if (name !== 'camera') camera.stop();
  }
  for (const tab of tabs) tab.addEventListener('change', () => open(tab.value));
  open('photo');

  find('tabs').hidden = document.querySelector('main').hidden = false;
  find('about').textContent = about(byTask('portrait'), runtime, notInstalled);
  document.body.dataset.state = 'ready';
  say(`Ready: ${told.ms.toFixed(0)} ms for a picture, on ${NAMES[told.delegate]}`
    + `${told.delegate === 'xnnpack' ? `, ${threads(told)}` : ''}.`);
});

function threads({threads: count, possible}) {
  if (count > 1) return `${count} threads`;
  return possible > 1 ? 'one thread' : 'one thread, since this page cannot have more here';
}

function about({name, licence, data_notice}, runtime, notInstalled) {
  const offline = notInstalled ? `Not kept for use without a network: ${notInstalled}. ` : '';
  return `${offline}Network ${name}, ${licence}. ${data_notice} `
    + `Computed by LiteRT.js ${runtime}, Apache-2.0.`;
}
