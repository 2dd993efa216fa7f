// Posts a photograph, shows what comes back before any colour, and lets two models be compared.

const find = (id) => document.getElementById(id);
const [stage, first, second] = ['stage', 'first', 'second'].map(find);

const asked = fetch('about').then((answer) => answer.json());
let turn = 0; // of the photograph that is shown: answers to earlier ones come too late
let stem = ''; // of that photograph's name
let shown = []; // {name, cutout, matte}: addresses of pictures in memory

function say(text, bad = false) {
  find('status').textContent = text;
  find('status').classList.toggle('bad', bad);
}

async function ask(file, model) {
  const answer = await fetch(`matte?model=${encodeURIComponent(model)}`, {method: 'POST', body: file});
  if (!answer.ok) {
    const {error, remedy} = await answer.json();
    throw new Error(`${error} ${remedy}`.trim());
  }
  const took = /dur=(\d+)/.exec(answer.headers.get('Server-Timing') ?? '');
  return {picture: await answer.blob(), ms: took ? Number(took[1]) : null};
}

// The opacity of a cut-out as a grey picture.
async function matteOf(blob) {
  const bitmap = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    pixels.data.fill(pixels.data[i + 3], i, i + 3);
    pixels.data[i + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return canvas.convertToBlob();
}

function forget() {
  for (const one of shown) {
    URL.revokeObjectURL(one.cutout);
    URL.revokeObjectURL(one.matte);
  }
  shown = [];
}

async function cutOut(file) {
  const mine = ++turn;
  const about = await asked;
  if (file.size > about.max_bytes) {
    say(`The file has more than ${about.max_bytes / 1e6} MB. Scale it down first.`, true);
    return;
  }
  find('result').hidden = true;
  const times = [];
  try {
    for (const name of Object.keys(about.models)) {
      say(`Cutting out, ${name} …`);
      const {picture, ms} = await ask(file, name);
      const matte = await matteOf(picture);
      if (mine !== turn) return;
      if (times.length === 0) forget();
      shown.push({name, cutout: URL.createObjectURL(picture), matte: URL.createObjectURL(matte)});
      if (ms !== null) times.push(`${name} ${ms} ms`);
      stem = file.name?.replace(/\.[^.]*$/, '') || 'photograph';
      find('result').hidden = false;
      draw();
    }
    say(`Done: ${times.join(', ')}, from photograph to PNG.`);
  } catch (error) {
    if (mine === turn) say(error instanceof TypeError ? 'edgemat does not answer.' : error.message, true);
  }
}

function draw() {
  const view = document.querySelector('[name=view]:checked').value;
  const behind = document.querySelector('[name=behind]:checked').value;
  const two = shown.length > 1;
  first.src = shown[0][view];
  if (two) second.src = shown[1][view];
  second.hidden = find('edge').hidden = find('comparing').hidden = !two;
  stage.classList.toggle('split', two);
  find('left').textContent = two ? shown[0].name : '';
  find('right').textContent = two ? shown[1].name : '';
  find('compared').textContent = two ? `${shown[0].name} | ${shown[1].name}` : '';
  find('behind').hidden = view === 'matte';
  find('save').href = shown[0][view];
  find('save').download = `${stem}-${view}.png`;
  stage.style.setProperty('--at', `${find('slider').value}%`);
  if (behind) stage.style.setProperty('--behind', behind === 'any' ? find('colour').value : behind);
  else stage.style.removeProperty('--behind');
}

find('slider').addEventListener('input', draw);
find('colour').addEventListener('input', () => {
  document.querySelector('[name=behind][value=any]').checked = true;
  draw();
});
for (const choice of document.querySelectorAll('[type=radio]')) choice.addEventListener('change', draw);

find('file').addEventListener('change', ({target}) => {
  if (target.files.length) cutOut(target.files[0]);
  target.value = ''; // the same may be chosen again
});
addEventListener('paste', ({clipboardData}) => {
  if (clipboardData.files.length) cutOut(clipboardData.files[0]);
});
addEventListener('dragover', (event) => {
  event.preventDefault();
  find('drop').classList.add('over');
});
addEventListener('dragleave', () => find('drop').classList.remove('over'));
addEventListener('drop', (event) => {
  event.preventDefault();
  find('drop').classList.remove('over');
  if (event.dataTransfer.files.length) cutOut(event.dataTransfer.files[0]);
});

const about = await asked;
find('limits').textContent = `At most ${about.max_bytes / 1e6} MB and ${about.max_pixels / 1e6} megapixels. `
  + 'It stays on the computer that runs edgemat, in memory.';
document.body.dataset.state = 'ready';
