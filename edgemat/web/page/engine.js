// The page's side of a worker that computes: questions go out, answers come back.

export class Engine {
  #worker = new Worker(new URL('../engine/worker.js', import.meta.url));
  #waiting = new Map();
  #number = 0;

  constructor() {
    this.#worker.onmessage = ({data: {id, result, error, progress}}) => {
      const {resolve, reject, onProgress} = this.#waiting.get(id);
      if (progress) {
        onProgress(progress);
        return;
      }
      this.#waiting.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    };
    this.#worker.onerror = ({message}) => {
      for (const {reject} of this.#waiting.values()) {
        reject(new Error(`The computing part of the page failed: ${message ?? 'it did not load'}.`));
      }
      this.#waiting.clear();
    };
  }

  /** Ask for a job of engine/jobs.js; a bitmap among what is given is handed over. */
  ask(job, given = {}, onProgress = () => {}) {
    const id = this.#number++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, {resolve, reject, onProgress});
      this.#worker.postMessage({id, job, given}, given.bitmap ? [given.bitmap] : []);
    });
  }

  /** End the worker, with its memory. */
  close() {
    this.#worker.terminate();
  }
}
