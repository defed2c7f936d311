// Verdicts, domains, settings, and errors that say what is wrong.

/**
 * Takes away what the engine has and a filter has not. Date would stand still at the time of the build, Math.random begin anew in each instance, and
 * what goes to the console be lost, all without a word.
 */
export function withhold(global) {
  const missing = (what, instead) => () => {
    throw new Error(`a filter has no ${what}; ${instead}`);
  };
  const clock = missing('clock of its own', "import { now, local } from 'portcullis:filter/clock@0.1.0'");
  const { Date } = global;
  global.Date = class extends Date {
    constructor(...args) {
      super(...(args.length === 0 ? [clock()] : args));
    }
    static now = clock;
  };
  global.Math.random = missing('random numbers', "count in state, or hash what you have");
  global.fetch = missing('network', 'the proxy fetches lists: see feeds');
  const console = missing('console', "import { write } from 'portcullis:filter/log@0.1.0'");
  global.console = new Proxy({}, { get: () => console });
}

// Not in node, which runs the tests.
if (globalThis.process === undefined) {
  withhold(globalThis);
}

/** No opinion: the next filter is asked. */
export const next = { tag: 'next' };

/** It passes, and no further filter is asked by this hook. */
export const allow = { tag: 'allow' };

/** Refuses the request. The reason, one line, is shown to the client and written to the log. */
export const block = (reason, status = 403) => ({ tag: 'block', val: { status, reason } });

/** Sends the client to an absolute URL. */
export const redirect = (location, status = 302) => ({ tag: 'redirect', val: { status, location } });

/** Answers in place of the origin, with the bytes of `body`. */
export const replace = (contentType, body, status = 200) => ({ tag: 'replace', val: { status, contentType, body } });

const tags = ['next', 'allow', 'block', 'redirect', 'replace'];

/**
 * Whether the host is that domain itself or a name below it: www.evil.example is within evil.example, notevil.example is not. The domain's case does
 * not matter, nor do dots around it; nothing is within an empty domain. An IP address is only within itself.
 */
export function isWithin(host, domain) {
  const end = domain.replace(/^\.+|\.+$/g, '').toLowerCase();
  return end !== '' && (host === end || (!isAddress(host) && host.endsWith(`.${end}`)));
}

/** Whether the host is an IP address: no name has a colon or ends in a number. */
export const isAddress = (host) => /:|(^|\.)[0-9]+$/.test(host);

/** Reads the settings over the defaults. A name that is not among these is refused, and so is a value of another kind. */
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

/** Goes around a hook, so that the proxy's log tells of an error what it was and where. Without it there is a trap without a word. */
export const hook = (call) => (...args) => {
  try {
    return call(...args);
  } catch (error) {
    // To the proxy, what is thrown is the text of an error.
    throw error instanceof Error ? `${error} (${place(error)})` : String(error);
  }
};

/** The same around a hook that judges. */
export const judge = (call) =>
  hook((...args) => {
    const verdict = call(...args);
    if (!tags.includes(verdict?.tag)) {
      throw `the hook answered ${JSON.stringify(verdict)}; a verdict is next, allow, block(…), redirect(…) or replace(…)`;
    }
    return verdict;
  });

// The innermost line that is not here: `judge@src/filter.js:12:5` in the proxy, `at judge (file:///…/src/filter.js:12:5)` in node.
const place = ({ stack }) => /[\w.-]+\/(?!portcullis\.js)[\w.-]+\.js:\d+/.exec(stack ?? '')?.[0] ?? 'somewhere';
