// Raw latencies in, the figures that a report prints out; bench/stats.py and bench/result.py.

const CURVE_POINTS = 60;

/**
 * Sum up samples in the order in which they were taken; the names are the schema's.
 *
 * @param {number[]} samples milliseconds, at least one, each positive
 */
export function summarise(samples) {
  if (samples.length === 0) throw new Error('There are no latency samples.');
  if (!samples.every((one) => Number.isFinite(one) && one > 0)) {
    throw new Error('A latency sample is not a positive number of milliseconds.');
  }
  const sorted = [...samples].sort((a, b) => a - b);
  const mean = samples.reduce((a, b) => a + b) / samples.length;
  const squares = samples.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  const std = samples.length > 1 ? Math.sqrt(squares / (samples.length - 1)) : 0;
  return {
    count: samples.length,
    min_ms: sorted[0],
    mean_ms: mean,
    std_ms: std,
    p50_ms: percentile(sorted, 50),
    p90_ms: percentile(sorted, 90),
    p95_ms: percentile(sorted, 95),
    p99_ms: percentile(sorted, 99),
    iqr_ms: percentile(sorted, 75) - percentile(sorted, 25),
    cv: std / mean,
    drift: drift(samples),
  };
}

/** The curve of inferences that followed each other without a pause; null of none. */
export function sustainedCurve(samples) {
  if (samples.length === 0) return null;
  const seconds = samples.reduce((a, b) => a + b) / 1000;
  const windows = new Map();
  let end = 0;
  for (const sample of samples) {
    end += sample / 1000;
    const window = Math.min(Math.trunc((end / seconds) * CURVE_POINTS), CURVE_POINTS - 1);
    if (!windows.has(window)) windows.set(window, []);
    windows.get(window).push(sample);
  }
  return {
    seconds,
    at_s: [...windows.keys()].map((window) => ((window + 0.5) * seconds) / CURVE_POINTS),
    p50_ms: [...windows.values()].map(median),
    runs: samples.length,
  };
}

function drift(samples) {
  if (samples.length < 2) return 0;
  const half = Math.floor(samples.length / 2);
  return median(samples.slice(half)) / median(samples.slice(0, half)) - 1;
}

function median(samples) {
  return percentile([...samples].sort((a, b) => a - b), 50);
}

/** Linearly interpolated between the two nearest samples. */
function percentile(sorted, percent) {
  const place = (percent / 100) * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}
