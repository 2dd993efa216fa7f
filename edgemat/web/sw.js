// The service worker: keeps the page for when there is no network, and adds the headers that a
// static host does not send. It answers for the files of this export alone, each by its hash.
//
// `edgemat export` writes CONTENT above: {version, files: {path: "sha256-..."}}. LiteRT.js
// comes in three builds of which a device needs one: those are kept when they are first asked for.
const CACHE = `edgemat ${registration.scope} ${CONTENT.version}`;
const HEADERS = {
  // both together let the page share memory between threads
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  // of the page and of its workers: nothing from elsewhere, nothing to elsewhere
  'Content-Security-Policy': "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; "
    + "img-src 'self' blob: data:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    + "form-action 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

addEventListener('install', (event) => {
  const first = Object.keys(CONTENT.files).filter((path) => !path.startsWith('litert/litert_'));
  event.waitUntil(Promise.all(first.map(keep)));
});

addEventListener('activate', (event) => {
  event.waitUntil(dropOldCaches().then(() => clients.claim()));
});

addEventListener('fetch', (event) => {
  const [address] = event.request.url.split(/[?#]/);
  if (event.request.method !== 'GET' || !address.startsWith(registration.scope)) return;
  const path = address.slice(registration.scope.length) || 'index.html';
  if (Object.hasOwn(CONTENT.files, path)) event.respondWith(answer(path));
});

async function answer(path) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(path) ?? await keep(path);
  const type = kept.headers.get('Content-Type') ?? '';
  return new Response(kept.body, {headers: {'Content-Type': type, ...HEADERS}});
}

/** Fetch a file and keep it; fails where it is not the one that was exported. */
async function keep(path) {
  const found = await fetch(path, {integrity: CONTENT.files[path], cache: 'no-cache'});
  if (!found.ok) throw new Error(`${path}: ${found.status}`);
  await (await caches.open(CACHE)).put(path, found.clone());
  return found;
}

async function dropOldCaches() {
  const own = `edgemat ${registration.scope} `;
  const ours = (await caches.keys()).filter((name) => name.startsWith(own));
  await Promise.all(ours.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
}
