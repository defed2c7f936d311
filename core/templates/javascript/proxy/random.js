import { getRandomValues } from 'node:crypto';

/** The next numbers, for tests that need to know them: numbers.push(7n). The others are random. */
export const numbers = [];

export function reset() {
  numbers.length = 0;
}

export function number() {
  return numbers.shift() ?? getRandomValues(new BigUint64Array(1))[0];
}

export function bytes(count) {
  return getRandomValues(new Uint8Array(Math.min(count, 4096)));
}
