import { ProxyError } from './error.js';

let time = 0n;

/**
 * Sets the clock, which stands still, to milliseconds since 1970 in UTC:
 * setTime(Date.UTC(2026, 2, 2, 9)).
 */
export function setTime(milliseconds) {
  time = BigInt(milliseconds);
}

export function reset() {
  setTime(0);
}

export function now() {
  return time;
}

/** The zone of the machine is UTC here. */
export function local(zone = 'UTC') {
  const [year, month, day, hour, minute, second] = numbers(zone);
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay() || 7;
  return { year, month, day, weekday, hour, minute, second };
}

function numbers(timeZone) {
  try {
    // In Sweden it is 2026-03-02 09:00:00.
    return new Date(Number(time)).toLocaleString('sv-SE', { timeZone }).match(/\d+/g).map(Number);
  } catch {
    throw new ProxyError(`there is no time zone ${timeZone}; names are like Europe/Berlin`);
  }
}
