// Built for contract 1.0.0, with every hook; calls every function and gives every verdict. What it
// answers is in ../languages.toml, and the filter in Python answers the same.

import * as answer from 'portcullis:filter/answer@1.0.0';
import * as client from 'portcullis:filter/client@1.0.0';
import * as clock from 'portcullis:filter/clock@1.0.0';
import * as domains from 'portcullis:filter/domains@1.0.0';
import * as exchange from 'portcullis:filter/exchange@1.0.0';
import * as feeds from 'portcullis:filter/feeds@1.0.0';
import * as log from 'portcullis:filter/log@1.0.0';
import * as metrics from 'portcullis:filter/metrics@1.0.0';
import * as notes from 'portcullis:filter/notes@1.0.0';
import * as outcome from 'portcullis:filter/outcome@1.0.0';
import * as random from 'portcullis:filter/random@1.0.0';
import * as request from 'portcullis:filter/request@1.0.0';
import * as requestHeaders from 'portcullis:filter/request-headers@1.0.0';
import * as responseHeaders from 'portcullis:filter/response-headers@1.0.0';
import * as state from 'portcullis:filter/state@1.0.0';

const bytes = (text) => new TextEncoder().encode(text);
const text = (bytes) => new TextDecoder().decode(bytes);

const next = { tag: 'next' };
const block = (...parts) => ({ tag: 'block', val: { status: 403, reason: parts.map((part) => part ?? 'none').join(' ') } });

// The case of the error that the call answers with.
function failure(call) {
  try {
    call();
    return 'none';
  } catch (error) {
    return error.payload.tag ?? typeof error.payload;
  }
}

let config;

export const lifecycle = {
  init(json) {
    try {
      config = JSON.parse(json);
    } catch (error) {
      throw String(error);
    }
  },
};

// By the first label of the host.
const hosts = {
  allow: () => ({ tag: 'allow' }),
  drop: () => ({ tag: 'drop' }),
  redirect: () => ({ tag: 'redirect', val: { status: 307, location: 'http://other.example/' } }),
  replace: () => ({ tag: 'replace', val: { status: 201, contentType: 'text/plain', body: bytes('page') } }),
  ask: () => ({ tag: 'ask', val: { text: 'May it?', otherwise: 'next', wait: 1000n } }),
  block() {
    answer.addField('X-Kept', bytes('yes'));
    answer.retryAfter(60_000n);
    answer.matched('a rule');
    return block('kept');
  },
  keep() {
    client.user();
    answer.keep(1000n);
    return next;
  },
  error() {
    throw 'no answer';
  },
  exchange() {
    exchange.id();
    const started = exchange.started() > clock.now() ? 'later' : 'before';
    const words = [exchange.protocol(), exchange.foundIn()];
    return block(exchange.host(), exchange.port(), ...words, exchange.serverName(), exchange.listener(), started);
  },
  client() {
    const address = client.address();
    return block(address?.tag, address?.val.join('.'), client.user(), client.groups().join('+'));
  },
  feeds() {
    const found = feeds.find(exchange.host());
    const excepted = feeds.findIn(['list'], 'ok.example');
    const unknown = failure(() => feeds.findIn(['other'], 'ok.example'));
    return block(feeds.names().join('+'), found.feed, found.rule, found.kind, excepted.kind, unknown);
  },
  state() {
    const created = state.compareAndSet('number', undefined, bytes('1'), undefined);
    const sum = state.increment('number', 2n, 1000n);
    state.set('word', bytes('text'), 1000n);
    const notANumber = failure(() => state.increment('word', 1n, undefined));
    state.remove('word');
    return block(created ? 'created' : 'there', sum, notANumber, state.get('word'), text(state.get('number')));
  },
  clock() {
    const { year, month, day, weekday, hour, minute, second } = clock.local('Europe/Berlin');
    const here = clock.local(undefined).year;
    const unknown = failure(() => clock.local('Nowhere'));
    return block(clock.now(), year, month, day, weekday, hour, minute, second, here, unknown === 'none' ? 'known' : 'unknown');
  },
  random: () => block(random.number() === random.number() ? 'same' : 'other', random.bytes(4).length),
  domains: () => block(domains.registrable('www.example.co.uk'), domains.registrable('192.0.2.1')),
  log() {
    for (const level of ['debug', 'info', 'warn', 'error']) {
      log.write(level, `a line of ${level}`);
    }
    return next;
  },
  metrics() {
    metrics.count('counter', 2n, [{ name: 'label', value: 'value' }]);
    metrics.gauge('gauge', -1.5, []);
    metrics.observe('histogram', 0.5, []);
    return next;
  },
};

export const judgeHost = {
  judge(host, port) {
    notes.set('host', `${host}:${port}`);
    const [label] = host.split('.');
    return Object.hasOwn(hosts, label) ? hosts[label]() : next;
  },
};

function edit(headers, failed) {
  try {
    headers.set('X-Failure', bytes(failed));
    const names = headers.names().filter((name) => name.startsWith('x-'));
    headers.append('X-Names', bytes(names.sort().join()));
    headers.remove('X-Remove');
    const [old] = headers.get('X-Old');
    headers.setAll([...headers.all(), { name: 'X-More', value: old ?? bytes('none') }]);
  } catch (error) {
    throw `a field was not changed: ${error.payload?.tag}`;
  }
}

export const judgeRequest = {
  judge(method, url) {
    if (method === 'POST') {
      return block(request.method(), request.url(), method, url, notes.get('host'));
    }
    edit(requestHeaders, failure(() => requestHeaders.set('Host', bytes('other.example'))));
    return next;
  },
};

export const judgeResponse = {
  judge(status) {
    if (status === 500) {
      return block(status, request.method(), ...requestHeaders.get('X-Failure').map(text));
    }
    edit(responseHeaders, failure(() => requestHeaders.set('X-Late', bytes('1'))));
    return next;
  },
};

export const exchangeEnded = {
  ended() {
    const labels = [
      { name: 'how', value: outcome.how() },
      { name: 'status', value: String(outcome.status() ?? 'none') },
      { name: 'host', value: notes.get('host') ?? 'none' },
    ];
    metrics.count('bytes', outcome.bytesFromClient() + outcome.bytesToClient(), labels);
    metrics.gauge('seconds', Number(outcome.duration()) / 1000, []);
  },
};

export const tick = {
  tick: () => (config.rests ? undefined : 60_000n),
};
