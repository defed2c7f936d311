// Verdicts, hosts, settings, and errors that say what is wrong.

import * as answer from 'portcullis:filter/answer@1.0.0';

/** No opinion: the next filter is asked. */
export const next = { tag: 'next' };

/** It passes, and no further filter is asked by this hook. */
export const allow = { tag: 'allow' };

/** Closes the connection without an answer. */
export const drop = { tag: 'drop' };

/**
 * Refuses the exchange. The reason, one line, is shown to the client and written to the log.
 *
 * This and the following take `retryAfter`, the milliseconds after which the client may try again,
 * `matched`, the rule that decided, and `fields`, header fields of the answer, each a text or
 * bytes: { 'Cache-Control': 'no-store' }. All are said at once, so a hook has to be running.
 *
 * The status is 400 to 599. An argument of another type or range is an error with its name.
 */
export function block(reason, { status = 403, ...more } = {}) {
  checkText('reason', reason);
  checkStatus(status, status >= 400 && status <= 599, '400 to 599');
  return answered('block', { status, reason }, more);
}

/** Sends the client to an absolute URL. The status is 301, 302, 303, 307 or 308. */
export function redirect(location, { status = 302, ...more } = {}) {
  checkText('location', location);
  checkStatus(status, [301, 302, 303, 307, 308].includes(status), '301, 302, 303, 307 or 308');
  return answered('redirect', { status, location }, more);
}

/** Answers in place of the origin. `body` is a text, or bytes. The status is 200 to 599. */
export function replace(contentType, body, { status = 200, ...more } = {}) {
  checkText('contentType', contentType);
  checkStatus(status, status >= 200 && status <= 599, '200 to 599');
  return answered('replace', { status, contentType, body: asBytes('body', body) }, more);
}

/**
 * Asks a person. If none has decided after `wait` milliseconds, `otherwise` holds: the next filter
 * is asked (`'next'`), or the exchange is refused (`'block'`).
 */
export function ask(text, { otherwise = 'block', wait = 60_000, ...more } = {}) {
  checkText('text', text);
  if (!['next', 'block'].includes(otherwise)) {
    throw unfit('otherwise', otherwise, "'next' or 'block'");
  }
  return answered('ask', { text, otherwise, wait: asTime('wait', wait) }, more);
}

/**
 * Lets the proxy use the answer of `judgeHost` again for so many milliseconds, where host, port and
 * all facts agree that the filter has asked for.
 */
export const keep = (time) => answer.keep(asTime('time', time));

function answered(tag, val, { retryAfter, matched, fields = {}, ...unknown }) {
  for (const name in unknown) {
    throw new Error(`${tag}(…) has no option ${name}`);
  }
  // All are looked at before any is said.
  const time = retryAfter === undefined ? undefined : asTime('retryAfter', retryAfter);
  if (matched !== undefined) {
    checkText('matched', matched);
  }
  // A list has numbers for names, and what Map and Headers have is not in their properties.
  if (typeof fields !== 'object' || fields === null || Symbol.iterator in fields) {
    throw unfit('fields', fields, 'an object with the names of header fields as its keys');
  }
  const added = Object.entries(fields).map(([name, value]) => [name, asBytes(`fields['${name}']`, value)]);

  if (time !== undefined) {
    answer.retryAfter(time);
  }
  if (matched !== undefined) {
    answer.matched(matched);
  }
  for (const [name, value] of added) {
    addField(name, value);
  }
  return { tag, val };
}

function addField(name, value) {
  try {
    answer.addField(name, value);
  } catch (error) {
    const wrong = {
      forbidden: 'belongs to the proxy and cannot be changed',
      'invalid-syntax': 'has a name or a value that is not possible in HTTP',
      'size-exceeded': 'is more than can be added to an answer: 1000 fields, and 64 KiB of names and values',
    }[error.payload?.tag];
    throw wrong ? new Error(`the field ${name} ${wrong}`) : error;
  }
}

// What does not fit the contract is a trap in the built filter, with neither name nor line.
function checkText(name, value) {
  if (typeof value !== 'string') {
    throw unfit(name, value, 'a text');
  }
}

function checkStatus(value, isPossible, which) {
  if (!Number.isInteger(value) || !isPossible) {
    throw unfit('status', value, which);
  }
}

function asTime(name, value) {
  const isWhole = typeof value === 'bigint' || Number.isInteger(value);
  if (!isWhole || value < 0 || value >= 2n ** 64n) {
    throw unfit(name, value, 'whole milliseconds');
  }
  return BigInt(value);
}

function asBytes(name, value) {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw unfit(name, value, 'a text or bytes');
  }
  return typeof value === 'string' ? bytes(value) : value;
}

function unfit(name, value, what) {
  // JSON has no NaN, and refuses a BigInt.
  const hasForm = ['object', 'string'].includes(typeof value);
  return new Error(`${name} is ${hasForm ? JSON.stringify(value) : value}, and it has to be ${what}`);
}

const tags = ['next', 'allow', 'block', 'redirect', 'replace', 'drop', 'ask'];

/** The bytes of a text, as values of header fields and of `state` are. */
export const bytes = (text) => new TextEncoder().encode(text);

/** The text that the bytes are. What is not UTF-8 becomes U+FFFD. */
export const text = (bytes) => new TextDecoder().decode(bytes);

/**
 * Whether the host is that domain itself or a name below it: www.evil.example is within
 * evil.example, notevil.example is not. The domain's case does not matter, nor do dots around it;
 * nothing is within an empty domain. An IP address is only within itself.
 */
export function isWithin(host, domain) {
  const end = domain.replace(/^\.+|\.+$/g, '').toLowerCase();
  return end !== '' && (host === end || (!isAddress(host) && host.endsWith(`.${end}`)));
}

/** Whether the host is an IP address: no name has a colon or ends in a number. */
export const isAddress = (host) => /:|(^|\.)[0-9]+$/.test(host);

/** A client's address as it is written: 10.0.0.7, 2001:db8::1 (RFC 5952). */
export function addressText({ tag, val }) {
  if (tag === 'ipv4') {
    return val.join('.');
  }
  const groups = val.map((group) => group.toString(16)).join(':');
  // Of the longest runs of zeros, the first is left out.
  const runs = groups.match(/\b0(:0)+\b/g) ?? [];
  const [longest] = runs.sort((a, b) => b.length - a.length);
  return longest ? groups.replace(new RegExp(`(^|:)${longest}(:|$)`), '::') : groups;
}

/**
 * Reads the settings over the defaults. A name that is not among these is refused, and so is a
 * value of another kind.
 */
export function settings(json, defaults) {
  const given = JSON.parse(json);
  for (const [name, value] of Object.entries(given)) {
    if (!(name in defaults)) {
      throw `there is no setting ${name}, only ${Object.keys(defaults).join(', ')}`;
    }
    if (kind(value) !== kind(defaults[name])) {
      throw `${name}: ${JSON.stringify(value)} is not of the type ${kind(defaults[name])}`;
    }
  }
  return { ...defaults, ...given };
}

const kind = (value) => (Array.isArray(value) ? 'array' : typeof value);

/**
 * Goes around a hook, so that the proxy's log tells of an error what it was and where. Without it
 * there is a trap without a word.
 */
export const hook = (call) => (...args) => {
  try {
    return call(...args);
  } catch (error) {
    // To the proxy, what is thrown is the text of an error.
    throw told(error);
  }
};

/** The same around a hook that judges. */
export const judge = (call) =>
  hook((...args) => {
    const verdict = call(...args);
    if (!tags.includes(verdict?.tag)) {
      throw `the hook answered ${JSON.stringify(verdict)}; a verdict is next, allow, drop, block(…), redirect(…), replace(…) or ask(…)`;
    }
    return verdict;
  });

/**
 * The text of what was thrown. An error of a call to the proxy has what it is in `payload`: a text,
 * or a case such as { tag: 'full' } or { tag: 'unknown', val: 'malware' }.
 */
function told(error) {
  if (error?.stack === undefined) {
    return String(error);
  }
  const { payload } = error;
  const said = payload?.tag && `the proxy answers ${[payload.tag, payload.val].filter(Boolean).join(': ')}`;
  return `${said ?? payload ?? error} (${place(error)})`;
}

// The innermost line of the filter: `judge@src/filter.js:12:5` in the proxy, in node `at judge
// (file:///…/src/filter.js:12:5)`.
function place({ stack }) {
  const lines = stack.split('\n').filter((line) => !/\/(portcullis|initializer|proxy\/[\w-]+)\.js:/.test(line));
  const places = lines.map((line) => /[\w.-]+\/[\w.-]+\.js:\d+/.exec(line)?.[0]);
  return places.find(Boolean) ?? 'somewhere';
}

/**
 * Takes away what the engine has and a filter has not. Date would stand still at the time of the
 * build, random numbers be the same in each instance, what goes to the console be lost, and the
 * rest end in a trap, all without a word.
 */
export function withhold(global) {
  const missing = (what, instead) => () => {
    throw new Error(`a filter has no ${what}; ${instead}`);
  };
  const clock = missing('clock of its own', "import { now, local } from 'portcullis:filter/clock@1.0.0'");
  const random = missing('random numbers of its own', "import { number, bytes } from 'portcullis:filter/random@1.0.0'");
  const timer = missing('timers', 'tick is the hook that is called again');
  const console = missing('console', "import { write } from 'portcullis:filter/log@1.0.0'");
  const { Date } = global;
  const replaced = {
    Date: class extends Date {
      constructor(...args) {
        super(...(args.length === 0 ? [clock()] : args));
      }
      static now = clock;
    },
    performance: { now: clock },
    crypto: { getRandomValues: random, randomUUID: random },
    setTimeout: timer,
    setInterval: timer,
    fetch: missing('network', 'the proxy fetches lists: see feeds'),
    console: new Proxy({}, { get: () => console }),
  };
  for (const name in replaced) {
    Object.defineProperty(global, name, { value: replaced[name] });
  }
  global.Math.random = random;
}

// Not in node, which runs the tests.
if (globalThis.process === undefined) {
  withhold(globalThis);
}
