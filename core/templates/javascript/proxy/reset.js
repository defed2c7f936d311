import * as answer from './answer.js';
import * as client from './client.js';
import * as clock from './clock.js';
import * as domains from './domains.js';
import * as exchange from './exchange.js';
import * as feeds from './feeds.js';
import * as log from './log.js';
import * as metrics from './metrics.js';
import * as notes from './notes.js';
import * as outcome from './outcome.js';
import * as random from './random.js';
import * as request from './request.js';
import * as requestHeaders from './request-headers.js';
import * as responseHeaders from './response-headers.js';
import * as state from './state.js';

const all = [
  answer, client, clock, domains, exchange, feeds, log, metrics, notes, outcome, random, request, requestHeaders,
  responseHeaders, state,
];

/** All is as before the first test, so that none depends on the one before: beforeEach(reset). */
export function reset() {
  all.forEach((mock) => mock.reset());
}
