// Blocks the domains that its settings list.

import { write as log } from 'portcullis:filter/log@1.0.0';
import { block, hook, isWithin, judge, next, settings } from './portcullis.js';

// What holds if the [config] of the .toml file beside the filter says nothing. A new setting also
// needs its type in config.schema.json.
const defaults = {
  // Each stands for itself and all names below it.
  domains: [],
};

// The proxy makes many instances of a filter, each with variables of its own.
let config = defaults;

export const lifecycle = {
  // Called once, before anything else. What is thrown, the operator reads, and the filter is not
  // used.
  init: hook((json) => {
    config = settings(json, defaults);
  }),
};

export const judgeHost = {
  // Asked about the host of every exchange, before it is resolved.
  judge: judge((host, port) => {
    const domain = config.domains.find((domain) => isWithin(host, domain));
    if (domain === undefined) {
      return next;
    }
    log('debug', `${host} is covered by ${domain}`);
    return block(`${domain} is blocked here`);
  }),
};
