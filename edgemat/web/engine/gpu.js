// Whether this browser has a GPU for computing. An adapter in software is none: it takes seconds
// where the processor itself takes a fraction of one.

export async function hasGpu() {
  const adapter = await navigator.gpu?.requestAdapter();
  return Boolean(adapter) && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter);
}
