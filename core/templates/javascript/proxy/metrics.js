/** What was counted and measured, by name. */
export const values = {};

export function count(name, by) {
  keep(name, (values[name] ?? 0) + Number(by));
}

export function gauge(name, value) {
  keep(name, value);
}

// The proxy drops other names, too.
function keep(name, value) {
  if (/^[a-z0-9_]{1,64}$/.test(name)) {
    values[name] = value;
  }
}
