import { isWithin } from '../src/portcullis.js';

/** The domains of each feed by its name, for tests to fill: lists.malware = ['evil.example']. */
export const lists = {};

export function names() {
  return Object.keys(lists).sort();
}

export function lookup(feed, host) {
  if (!(feed in lists)) {
    throw new Error(`there is no feed ${feed}`);
  }
  const covering = lists[feed].filter((domain) => isWithin(host, domain));
  return covering.sort((a, b) => b.length - a.length)[0];
}
