/**
 * What was counted and measured. The keys are names with their labels: `blocked` and
 * `blocked{feed="malware",kind="listed"}`; of a histogram, the value is a list of all observations.
 */
export const values = {};

export function reset() {
  Object.keys(values).forEach((key) => delete values[key]);
}

export function count(name, by, labels) {
  change(name, labels, (before = 0) => before + Number(by));
}

export function gauge(name, value, labels) {
  change(name, labels, () => value);
}

export function observe(name, value, labels) {
  change(name, labels, (before = []) => [...before, value]);
}

const isName = (name) => /^[a-z0-9_]{1,64}$/.test(name);
const isLabel = ({ name, value }) => isName(name) && new TextEncoder().encode(value).length <= 64;

// The proxy drops what goes beyond the limits, too.
function change(name, labels, change) {
  const pairs = labels.map(({ name, value }) => `${name}="${value}"`);
  const key = labels.length === 0 ? name : `${name}{${pairs}}`;
  const keys = Object.keys(values);
  const metrics = new Set([...keys.map((key) => key.split('{')[0]), name]);
  const hasRoom = key in values || (keys.length < 1000 && metrics.size <= 100);
  if (isName(name) && labels.length <= 3 && labels.every(isLabel) && hasRoom) {
    values[key] = change(values[key]);
  }
}
