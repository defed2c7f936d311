import { isWithin } from '../src/portcullis.js';
import { ProxyError } from './error.js';

/**
 * The entries of each feed by its name, for tests to fill. Each covers a domain with all names
 * below it; @@ excepts: lists.malware = ['evil.example', '@@good.evil.example'].
 */
export const lists = {};

/** The names of feeds that exist and are not granted, for tests to add to. */
export const notGranted = new Set();

export function reset() {
  names().forEach((name) => delete lists[name]);
  notGranted.clear();
}

export const names = () => Object.keys(lists).sort();

export const find = (host) => findIn(names(), host);

export function findIn(feeds, host) {
  const matches = feeds.map((feed) => match(feed, host)).filter(Boolean);
  return matches.find(({ kind }) => kind === 'listed') ?? matches[0];
}

// An exception decides, or else another entry; of several the longest.
function match(feed, host) {
  if (!(feed in lists)) {
    throw new ProxyError({ tag: notGranted.has(feed) ? 'not-granted' : 'unknown', val: feed });
  }
  const entries = lists[feed].map((rule, at) => {
    const kind = rule.startsWith('@@') ? 'excepted' : 'listed';
    return { domain: rule.replace('@@', ''), match: { feed, source: `${feed}.txt`, rule, line: at + 1, kind } };
  });
  const covering = entries.filter(({ domain }) => isWithin(host, domain));
  const isException = ({ match }) => match.kind === 'excepted';
  const first = (a, b) => isException(b) - isException(a) || b.domain.length - a.domain.length;
  return covering.sort(first)[0]?.match;
}
