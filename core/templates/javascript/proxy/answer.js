import { check, checkRoom, size } from './fields.js';

/** What was said of the answer, for tests to look at. Times are in milliseconds. */
export const said = {};

/** Nothing was said, as before each call. */
export function clear() {
  Object.assign(said, { keep: undefined, retryAfter: undefined, matched: undefined, fields: [] });
}

export { clear as reset };

clear();

export function keep(time) {
  said.keep = BigInt(time);
}

export function addField(name, value) {
  check(name, value);
  const fields = [...said.fields, { name, value }];
  // This is for one call, and where a test makes several, clear() begins the next one.
  checkRoom(fields.length, size(fields));
  said.fields = fields;
}

export function retryAfter(time) {
  said.retryAfter = BigInt(time);
}

export function matched(rule) {
  said.matched = rule;
}
