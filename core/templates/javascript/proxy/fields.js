// The header fields of a message.

import { ProxyError } from './error.js';

// They belong to the connection, to the framing of the message, or to the proxy itself, so a filter
// cannot change them.
const owned = [
  'connection', 'content-length', 'expect', 'host', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'proxy-status',
  'te', 'trailer', 'transfer-encoding', 'upgrade', 'via',
];
const isOwned = ({ name }) => owned.includes(name.toLowerCase());
const isNamed = (name) => (field) => field.name.toLowerCase() === name.toLowerCase();
const text = ({ name, value }) => `${name.toLowerCase()}: ${value}`;

export class Fields {
  #list = [];

  // How much the filter has added, in bytes.
  #added = 0;

  /** For tests to say: the hook that runs cannot change them. */
  immutable = false;

  /** The message comes with this field; its value is a text. */
  give(name, value) {
    this.#list.push({ name, value: new TextEncoder().encode(value) });
  }

  /** There are none, as before the first test. */
  clear() {
    this.#list = [];
    this.#added = 0;
    this.immutable = false;
  }

  get(name) {
    return this.#list.filter(isNamed(name)).map(({ value }) => value);
  }

  names() {
    return [...new Set(this.#list.map(({ name }) => name.toLowerCase()))];
  }

  // A filter cannot rely on the case of names, so they are not as they were given.
  all() {
    return this.names().flatMap((name) => this.get(name).map((value) => ({ name, value })));
  }

  set(name, value) {
    this.#check(name, value);
    this.#become([...this.#without(name), { name, value }], [{ name, value }]);
  }

  append(name, value) {
    this.#check(name, value);
    this.#become([...this.#list, { name, value }], [{ name, value }]);
  }

  remove(name) {
    this.#check(name);
    this.#list = this.#without(name);
  }

  setAll(fields) {
    const theirs = fields.filter((field) => !isOwned(field));
    theirs.forEach(({ name, value }) => this.#check(name, value));
    // Only what the list has more often than the message is added.
    const left = this.#list.map(text);
    const added = [];
    for (const field of theirs) {
      const at = left.indexOf(text(field));
      if (at < 0) {
        added.push(field);
      } else {
        left.splice(at, 1);
      }
    }
    this.#become([...this.#list.filter(isOwned), ...theirs], added);
  }

  // This is for one call, and where a test makes several, clear() begins the next one.
  #become(list, added) {
    const bytes = this.#added + size(added);
    checkRoom(list.length, bytes);
    this.#list = list;
    this.#added = bytes;
  }

  #without(name) {
    return this.#list.filter((field) => !isNamed(name)(field));
  }

  #check(name, value) {
    if (this.immutable) {
      throw new ProxyError({ tag: 'immutable' });
    }
    check(name, value);
  }
}

/** Throws unless a filter may have such a field in a message. */
export function check(name, value = []) {
  if (!/^[\w!#$%&'*+.^`|~-]{1,256}$/.test(name) || value.some((byte) => byte !== 0x09 && (byte < 0x20 || byte === 0x7f))) {
    throw new ProxyError({ tag: 'invalid-syntax' });
  }
  if (isOwned({ name })) {
    throw new ProxyError({ tag: 'forbidden' });
  }
}

/** What the names and values of fields take, in bytes. */
export const size = (fields) => fields.reduce((sum, { name, value }) => sum + name.length + value.length, 0);

/** Throws unless there may be so many fields, and so many bytes of them that a filter has added. */
export function checkRoom(count, added) {
  if (count > 1000 || added > 64 << 10) {
    throw new ProxyError({ tag: 'size-exceeded' });
  }
}
