// Everything that computes runs here, so that the page stays quick. This is a classic worker, since
// LiteRT.js loads its WebAssembly by importScripts, which a module worker has not.
const jobs = import('./jobs.js');
let last = Promise.resolve(); // jobs share one network: each waits for the one before

addEventListener('message', ({data: {id, job, given}}) => {
  last = last.then(() => work(id, job, given));
});

async function work(id, job, given) {
  try {
    const {JOBS} = await jobs;
    const result = await JOBS[job](given, (progress) => postMessage({id, progress}));
    // a picture's memory is handed over, not copied
    postMessage({id, result}, result?.pixels ? [result.pixels.data.buffer] : []);
  } catch (error) {
    // WebAssembly throws numbers, too
    postMessage({id, error: error?.message ?? String(error)});
  }
}
