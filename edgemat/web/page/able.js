// What this browser can do, before anything is loaded.

// A module whose one function has an instruction of 128 bits.
const SIMD = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15,
  253, 98, 11);
const FOLDER = new URL('.', location).pathname; // one host may have several exports
const RELOADED = `edgemat: ${FOLDER} reloaded for shared memory`;

/** Throw a sentence where the page cannot work at all. */
export function requireAble() {
  if (typeof WebAssembly !== 'object' || !WebAssembly.validate(SIMD)) {
    throw new Error('This browser\'s WebAssembly has no SIMD, which the network needs. '
      + 'Take a browser of 2023 or later.');
  }
  if (typeof OffscreenCanvas !== 'function' || typeof CompressionStream !== 'function') {
    throw new Error('This browser is too old for the page. Take one of 2023 or later.');
  }
}

/**
 * Install the service worker: the page then works without a network, and gets the headers that
 * several threads need. They come with the next load, so the page is loaded once more, and once.
 *
 * @returns {Promise<string>} why there is none, if so
 */
export async function install() {
  if (!isSecureContext) return 'this address has no HTTPS';
  if (!navigator.serviceWorker) return 'this browser has no service workers here';
  const {serviceWorker} = navigator;
  const registered = serviceWorker.register('sw.js'); // looks for a new version, too
  if (serviceWorker.controller) {
    registered.catch(() => {}); // no network: the one that is here does its work
    return '';
  }
  try {
    await Promise.race([serviceWorker.ready, failure(await registered)]);
  } catch (error) {
    return error.message;
  }
  await new Promise((resolve) => {
    serviceWorker.addEventListener('controllerchange', resolve, {once: true});
    setTimeout(resolve, 2000); // after a forced reload nobody takes over
  });
  if (!crossOriginIsolated && !sessionStorage.getItem(RELOADED)) {
    sessionStorage.setItem(RELOADED, 'yes');
    // Chromium keeps this document, and may bring it back when its successor is loaded again; while
    // it comes back, a reload that it asks for may be dropped
    addEventListener('pageshow', ({persisted}) => {
      if (!persisted) return;
      reload();
      setInterval(reload, 2000);
    });
    reload();
    await new Promise(() => {}); // nothing more is done on this page
  }
  return '';
}

function reload() {
  location.reload();
}

/** Reject when what is being installed fails: the browser's `ready` then stays open for ever. */
function failure({installing, waiting, active}) {
  return new Promise((_, reject) => {
    const worker = installing ?? waiting ?? active;
    const look = () => {
      if (worker && worker.state !== 'redundant') return;
      reject(new Error('a file is missing or is not as it was exported, or there is no room for it'));
    };
    worker?.addEventListener('statechange', look);
    look();
  });
}
