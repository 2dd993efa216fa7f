// Why a measurement is invalid, in the words of bench/result.py, which judges again.

// Of the mean absolute difference of a matte: the bound that `edgemat verify` sets for int8.
export const GOLDEN_LIMIT = 0.005;
const THERMAL = ['none', 'light', 'moderate', 'severe', 'critical', 'emergency', 'shutdown'];

/** The matte that was computed against the one that the export brought, both Float32Array. */
export function checkGolden(expected, found) {
  if (found.length !== expected.length || !found.every(Number.isFinite)) {
    throw new Error('The matte has another size, or values that are not finite.');
  }
  let most = 0;
  let sum = 0;
  for (let n = 0; n < expected.length; n++) {
    const difference = Math.abs(found[n] - expected[n]);
    most = Math.max(most, difference);
    sum += difference;
  }
  return {
    reference: 'artefact',
    max_abs: most,
    mean_abs: sum / expected.length,
    limit: GOLDEN_LIMIT,
  };
}

/** Sentences; none where the measurement is valid. The parts are those of a result. */
export function reasonsAgainst({latency, protocol, delegate, before, after, golden}) {
  const reasons = unsteadiness(latency, protocol);
  if (isHot(before)) reasons.push(`the device was hot at the start (${heat(before)})`);
  else if (isHot(after)) reasons.push(`the device was throttled at the end (${heat(after)})`);
  if (before.low_power_mode || after.low_power_mode) reasons.push('low-power mode is on');
  if (delegate.used !== delegate.asked) {
    reasons.push(`${delegate.asked} was asked for and ${delegate.used} was used`);
  }
  if (golden !== null && golden.mean_abs > golden.limit) {
    reasons.push(`the matte is wrong: mean |difference| ${significant(golden.mean_abs, 2)} to the `
      + `golden one, limit ${significant(golden.limit, 6)}`);
  }
  return reasons;
}

/** In what samples scatter or drift beyond the protocol's limits. */
export function unsteadiness({cv, drift}, {max_cv, max_drift}) {
  const reasons = [];
  if (cv > max_cv) reasons.push(`CV ${percent(cv, 1)} is above ${percent(max_cv, 0)}`);
  if (Math.abs(drift) > max_drift) {
    const sign = drift >= 0 ? '+' : '';
    reasons.push(`drift ${sign}${percent(drift, 1)} is beyond ${percent(max_drift, 0)}`);
  }
  return reasons;
}

function isHot({thermal_status, thermal_headroom}) {
  const throttled = THERMAL.indexOf(thermal_status ?? 'none') >= THERMAL.indexOf('moderate');
  return throttled || (thermal_headroom ?? 0) >= 1;
}

function heat({thermal_status, thermal_headroom}) {
  const told = [];
  if (thermal_status != null) told.push(`thermal status ${thermal_status}`);
  if (thermal_headroom != null) told.push(`headroom ${thermal_headroom.toFixed(2)}`);
  return told.join(', ');
}

function percent(value, decimals) {
  return `${(100 * value).toFixed(decimals)}%`;
}

/** Python's `f"{value:.2g}"`, with digits. */
function significant(value, digits) {
  const [mantissa, power] = value.toExponential(digits - 1).split('e').map(Number);
  if (power >= -4 && power < digits) return String(Number(value.toPrecision(digits)));
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}
