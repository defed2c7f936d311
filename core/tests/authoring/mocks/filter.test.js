import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import * as answer from '../proxy/answer.js';
import * as client from '../proxy/client.js';
import { now, setTime } from '../proxy/clock.js';
import { suffixes } from '../proxy/domains.js';
import * as exchange from '../proxy/exchange.js';
import { lists, notGranted } from '../proxy/feeds.js';
import { lines, write } from '../proxy/log.js';
import { count, values } from '../proxy/metrics.js';
import * as notes from '../proxy/notes.js';
import * as outcome from '../proxy/outcome.js';
import { numbers } from '../proxy/random.js';
import * as request from '../proxy/request.js';
import * as requestHeaders from '../proxy/request-headers.js';
import { reset } from '../proxy/reset.js';
import * as responseHeaders from '../proxy/response-headers.js';
import * as state from '../proxy/state.js';
import { exchangeEnded, judgeHost, judgeRequest, judgeResponse, lifecycle, tick } from '../src/filter.js';
import { allow, ask, block, bytes, drop, next, redirect, text } from '../src/portcullis.js';

const shop = ['www.shop.co.uk', 443];
// Ten in Berlin.
const monday = Date.UTC(2026, 2, 2, 9);

beforeEach(() => {
  reset();
  setTime(monday);
});

test('a client may shop twice during working hours', () => {
  client.facts.address = '10.0.0.7';
  assert.deepEqual(judgeHost.judge(...shop), next);
  assert.deepEqual(judgeHost.judge(...shop), next);
  assert.deepEqual(judgeHost.judge(...shop), block('back to work, 10.0.0.7', { status: 429 }));
  assert.deepEqual(answer.said, { keep: undefined, retryAfter: 25_200_000n, matched: undefined, fields: [] });
  assert.equal(values.hour, 10);
  assert.deepEqual(lines.pop(), ['info', '1: visit 3 of 10.0.0.7, found in request']);

  client.facts.address = '2001:db8::7';
  assert.deepEqual(judgeHost.judge(...shop), next);
  assert.equal(notes.values.get('visits'), '1');
  client.facts.groups = ['staff', 'buyers'];
  assert.deepEqual(judgeHost.judge(...shop), allow);
});

test('visits are forgotten after a day, and the settings say how many there may be', () => {
  lifecycle.init('{"visits": 1}');
  client.facts.user = 'ann';
  assert.deepEqual(judgeHost.judge(...shop), next);
  assert.equal(judgeHost.judge(...shop).tag, 'block');
  setTime(monday + 86_400_000);
  assert.deepEqual(judgeHost.judge(...shop), next);
  lifecycle.init('{}');
});

test('everyone may shop in the evening and on Sundays', () => {
  for (const time of [Date.UTC(2026, 2, 2, 16), Date.UTC(2026, 2, 1, 9)]) {
    setTime(time);
    answer.clear();
    assert.deepEqual(judgeHost.judge(...shop), next);
    assert.equal(answer.said.keep, 60_000n);
  }
});

test('where visits cannot be counted, a person is asked, or the hook fails', () => {
  state.failure.payload = { tag: 'full' };
  const { tag, val } = judgeHost.judge(...shop);
  assert.deepEqual({ tag, val }, ask('May local shop now?', { otherwise: 'next', wait: 5000 }));
  state.failure.payload = { tag: 'unavailable', val: 'it is away' };
  const failed = (thrown) => /^the proxy answers unavailable: it is away \(src\/filter\.js:\d+\)$/.test(thrown.payload ?? thrown);
  assert.throws(() => judgeHost.judge(...shop), failed);
});

test('an entry of a list decides, unless it is an exception', () => {
  lists.malware = ['evil.example', '@@good.evil.example', 'bad.good.evil.example'];
  assert.deepEqual(judgeHost.judge('www.evil.example', 80), block('www.evil.example is on a list'));
  assert.equal(answer.said.matched, 'evil.example (line 1)');
  assert.equal(values['listed{feed="malware"}'], 1);
  for (const host of ['good.evil.example', 'bad.good.evil.example']) {
    assert.deepEqual(judgeHost.judge(host, 80), next);
  }
});

test('a shop does not learn where its visitors come from', () => {
  requestHeaders.fields.give('referer', 'http://a.example/');
  requestHeaders.fields.give('Accept', '*/*');
  numbers.push(255n);
  assert.deepEqual(judgeRequest.judge('GET', 'http://www.shop.co.uk/'), next);
  assert.deepEqual(requestHeaders.names(), ['accept', 'x-request']);
  assert.equal(text(requestHeaders.get('X-Request')[0]), 'ff');
  assert.deepEqual(values['referer_bytes{method="GET"}'], [17]);
});

test('other requests are dropped or go elsewhere', () => {
  assert.deepEqual(judgeRequest.judge('TRACE', 'http://www.shop.co.uk/'), drop);
  const elsewhere = redirect('https://intranet.example/', { status: 303 });
  assert.deepEqual(judgeRequest.judge('GET', 'http://www.shop.co.uk/checkout'), elsewhere);
  const [{ name, value }] = answer.said.fields;
  assert.deepEqual([name, text(value)], ['Set-Cookie', 'basket=; Max-Age=0']);
});

test('a page that is not there is replaced, and others lose their own fields', () => {
  request.facts.url = 'http://www.shop.co.uk/a';
  requestHeaders.fields.give('X-Request', '7');
  const { status, body } = judgeResponse.judge(404).val;
  assert.deepEqual([status, text(body)], [410, 'Es gibt http://www.shop.co.uk/a nicht – 7']);

  responseHeaders.fields.give('Via', '1.1 shop');
  responseHeaders.fields.give('X-Powered-By', 'PHP');
  responseHeaders.fields.give('Server', 'shop');
  assert.deepEqual(judgeResponse.judge(200), next);
  assert.deepEqual(responseHeaders.all().map(({ name }) => name), ['via', 'server', 'x-robots-tag']);
});

test('the end of an exchange is measured', () => {
  Object.assign(outcome.facts, { how: 'blocked', status: 429, duration: 1500n });
  notes.values.set('visits', '3');
  assert.equal(exchangeEnded.ended(), undefined);
  assert.deepEqual(values['seconds{how="blocked"}'], [1.5]);
  assert.deepEqual(lines.pop(), ['debug', 'status 429 after visit 3']);
});

test('one tick is enough if another instance was first', () => {
  assert.equal(tick.tick(), 60_000n);
  assert.equal(tick.tick(), undefined);
  assert.deepEqual(lines.pop(), ['debug', `began at ${monday}`]);
});

test('what the proxy would not do is not done', () => {
  const fails = (call, tag) => assert.throws(call, (error) => error.payload.tag === tag);
  fails(() => requestHeaders.set('Host', bytes('b.example')), 'forbidden');
  fails(() => requestHeaders.append('a b', bytes('c')), 'invalid-syntax');
  fails(() => requestHeaders.set('a', bytes('b\r\nc: d')), 'invalid-syntax');
  requestHeaders.fields.immutable = true;
  fails(() => requestHeaders.remove('Accept'), 'immutable');
  fails(() => state.set('k'.repeat(1025), bytes(''), undefined), 'too-large');
  fails(() => state.set('k', new Uint8Array(1 << 20), undefined), 'full');
  state.set('k', bytes('one'), undefined);
  fails(() => state.increment('k', 1n, undefined), 'not-a-number');
  assert.deepEqual(requestHeaders.names(), []);
});

test('nothing is left of what a test has set and a filter has done', () => {
  const all = () => [
    answer.said, client.facts, now(), suffixes, exchange.facts, lists, notGranted, lines, values, notes.values, outcome.facts, numbers,
    request.facts, requestHeaders.all(), requestHeaders.fields.immutable, responseHeaders.all(), state.entries, state.failure,
  ];
  reset();
  const before = structuredClone(all());
  answer.keep(1n);
  client.facts.groups.push('buyers');
  setTime(monday);
  suffixes.add('gov.uk');
  exchange.facts.host = 'a.example';
  lists.malware = ['evil.example'];
  notGranted.add('ads');
  write('info', 'here');
  count('visits', 1n, []);
  notes.set('visits', '1');
  outcome.facts.status = 200;
  numbers.push(1n);
  request.facts.method = 'POST';
  requestHeaders.fields.give('Accept', '*/*');
  requestHeaders.fields.immutable = true;
  responseHeaders.set('Server', bytes('shop'));
  state.set('visits', bytes('1'), undefined);
  state.failure.payload = { tag: 'full' };
  all().forEach((value, at) => assert.notDeepEqual(value, before[at]));
  reset();
  assert.deepEqual(all(), before);
});
