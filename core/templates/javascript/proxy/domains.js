import { isAddress } from '../src/portcullis.js';

const known = ['co.uk', 'com.au', 'co.jp', 'github.io'];

/**
 * The public suffixes that are more than one label. The proxy knows thousands; a test adds those
 * that it is about.
 */
export const suffixes = new Set(known);

export function reset() {
  suffixes.clear();
  known.forEach((suffix) => suffixes.add(suffix));
}

export function registrable(host) {
  const labels = host.split('.');
  const end = labels.findIndex((_, at) => at === labels.length - 1 || suffixes.has(labels.slice(at).join('.')));
  return isAddress(host) || end === 0 ? undefined : labels.slice(end - 1).join('.');
}
