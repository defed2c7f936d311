// The header fields of a message.

// They belong to the connection, to the framing of the message, or to the proxy itself, so a filter cannot change them.
const owned = [
  'connection', 'content-length', 'expect', 'host', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'proxy-status',
  'te', 'trailer', 'transfer-encoding', 'upgrade', 'via',
];

export class Fields {
  // Lower-case names with their values.
  #list = [];

  /** The message comes with this field; its value is a text. */
  give(name, value) {
    this.#list.push([name.toLowerCase(), new TextEncoder().encode(value)]);
  }

  /** There are none, as before the first test. */
  clear() {
    this.#list = [];
  }

  get(name) {
    return this.#list.filter(([found]) => found === name.toLowerCase()).map(([, value]) => value);
  }

  names() {
    return [...new Set(this.#list.map(([name]) => name))];
  }

  set(name, value) {
    check(name, value);
    this.remove(name);
    this.append(name, value);
  }

  append(name, value) {
    check(name, value);
    this.#list.push([name.toLowerCase(), value]);
  }

  remove(name) {
    check(name);
    this.#list = this.#list.filter(([found]) => found !== name.toLowerCase());
  }
}

function check(name, value = []) {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
    throw new Error(`\`${name}\` cannot be the name of a header field`);
  }
  if (owned.includes(name.toLowerCase())) {
    throw new Error(`the field ${name} is the proxy's and cannot be changed`);
  }
  if (value.some((byte) => byte !== 0x09 && (byte < 0x20 || byte === 0x7f))) {
    throw new Error(`the value of ${name} has control characters`);
  }
}
