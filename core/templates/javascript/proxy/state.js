/** Values by key, as bytes. Nothing expires here. */
export const values = new Map();

const text = (bytes) => new TextDecoder().decode(bytes);

export function get(key) {
  return values.get(key);
}

export function set(key, value, ttl) {
  values.set(key, value);
}

export function increment(key, by, ttl) {
  const sum = BigInt(text(values.get(key)) || 0) + BigInt(by);
  values.set(key, new TextEncoder().encode(String(sum)));
  return sum;
}

export function compareAndSet(key, expected, value, ttl) {
  const found = values.get(key);
  const equal = found === expected || (found && expected && text(found) === text(expected));
  if (equal && value) {
    values.set(key, value);
  } else if (equal) {
    values.delete(key);
  }
  return Boolean(equal);
}
