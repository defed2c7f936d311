/** What the filter has noted about the exchange, by key. Tests set it, look at it, and clear it. */
export const values = new Map();

export function reset() {
  values.clear();
}

export const get = (key) => values.get(key);

// The proxy drops what goes beyond, too.
export function set(key, value) {
  const fits = /^[a-z0-9_]{1,64}$/.test(key) && new TextEncoder().encode(value).length <= 1024;
  if (fits && (values.has(key) || values.size < 16)) {
    values.set(key, value);
  }
}
