import { now } from './clock.js';
import { ProxyError } from './error.js';

/**
 * The entries by key, each with its value as bytes and the time at which it expires. For tests to
 * look at, and to clear.
 */
export const entries = new Map();

/**
 * Why every call fails, for tests to say:
 * failure.payload = { tag: 'unavailable', val: 'it is away' }.
 */
export const failure = { payload: undefined };

export function reset() {
  entries.clear();
  failure.payload = undefined;
}

const encoder = new TextEncoder();
const text = (bytes) => new TextDecoder().decode(bytes);

export function get(key) {
  return find(key)?.value;
}

export function set(key, value, ttl) {
  find(key);
  put(key, value, expiry(ttl));
}

export function remove(key) {
  find(key);
  entries.delete(key);
}

export function increment(key, by, ttl) {
  const { value, expires } = find(key) ?? { value: encoder.encode('0'), expires: expiry(ttl) };
  const sum = /^[+-]?[0-9]+$/.test(text(value)) ? BigInt(text(value)) + BigInt(by) : undefined;
  if (sum === undefined || sum !== BigInt.asIntN(64, sum)) {
    throw new ProxyError({ tag: 'not-a-number' });
  }
  put(key, encoder.encode(String(sum)), expires);
  return sum;
}

export function compareAndSet(key, expected, value, ttl) {
  const found = find(key)?.value;
  if (found?.join() !== expected?.join()) {
    return false;
  }
  if (value) {
    put(key, value, expiry(ttl));
  } else {
    entries.delete(key);
  }
  return true;
}

// Throws if a test says so. What has expired does not exist.
function find(key) {
  if (failure.payload !== undefined) {
    throw new ProxyError(failure.payload);
  }
  const entry = entries.get(key);
  if (entry?.expires <= now()) {
    entries.delete(key);
  }
  return entries.get(key);
}

const expiry = (ttl) => (ttl === undefined ? undefined : now() + BigInt(ttl));

function put(key, value, expires) {
  if (encoder.encode(key).length > 1024) {
    throw new ProxyError({ tag: 'too-large' });
  }
  // Unless the operator gives a filter another limit.
  if (bytes(new Map(entries).set(key, { value })) > 1 << 20) {
    throw new ProxyError({ tag: 'full' });
  }
  entries.set(key, { value: Uint8Array.from(value), expires });
}

// Each entry takes some memory besides its key and its value.
function bytes(all) {
  const sizes = [...all].map(([key, { value }]) => 200 + encoder.encode(key).length + Math.max(20, value.length));
  return sizes.reduce((sum, size) => sum + size, 0);
}
