import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import * as answer from '../proxy/answer.js';
import * as client from '../proxy/client.js';
import * as exchange from '../proxy/exchange.js';
import { values } from '../proxy/metrics.js';
import * as notes from '../proxy/notes.js';
import * as outcome from '../proxy/outcome.js';
import * as requestHeaders from '../proxy/request-headers.js';
import { reset } from '../proxy/reset.js';
import * as responseHeaders from '../proxy/response-headers.js';
import * as state from '../proxy/state.js';
import { exchangeEnded, judgeHost, judgeRequest, judgeResponse, lifecycle, tick } from '../src/filter.js';
import { block, bytes, next, text } from '../src/portcullis.js';

beforeEach(() => {
  reset();
  lifecycle.init('{}');
});

test('mail is refused over IPv6 alone, and each answer holds for ten minutes', () => {
  client.facts.address = '2001:db8::7';
  assert.deepEqual(judgeHost.judge('mail.example', 25), block('not by mail'));
  assert.equal(answer.said.keep, 600_000n);
  assert.deepEqual(answer.said.fields, [{ name: 'Cache-Control', value: bytes('no-store') }]);
  assert.deepEqual(judgeHost.judge('mail.example', 443), next);
  client.facts.address = '10.0.0.7';
  assert.deepEqual(judgeHost.judge('mail.example', 25), next);
  assert.equal(answer.said.keep, 600_000n);
});

test('a request loses a field, and its kind is noted', () => {
  for (const [method, kind] of [['GET', 'read'], ['POST', 'write']]) {
    requestHeaders.fields.give('X-Client-Data', 'CAE=');
    assert.deepEqual(judgeRequest.judge(method, 'http://www.example/'), next);
    assert.deepEqual(requestHeaders.names(), []);
    assert.equal(notes.values.get('kind'), kind);
  }
});

test('a response says which servers it comes from', () => {
  responseHeaders.fields.give('Server', 'cache');
  responseHeaders.fields.give('Server', 'shop');
  assert.deepEqual(judgeResponse.judge(200), next);
  assert.deepEqual(responseHeaders.get('X-Seen').map(text), ['cache,shop']);
});

test('the bytes of an exchange are counted by its end and its kind', () => {
  exchange.facts.host = 'www.example';
  Object.assign(outcome.facts, { how: 'passed', bytesToClient: 512n });
  assert.equal(exchangeEnded.ended(), undefined);
  notes.values.set('kind', 'read');
  assert.equal(exchangeEnded.ended(), undefined);
  assert.equal(values['bytes{how="passed",kind="none"}'], 512);
  assert.equal(values['bytes{how="passed",kind="read"}'], 512);
  assert.equal(text(state.get('www.example')), '2');
});

test('it works once a minute', () => {
  assert.equal(tick.tick(), 60_000n);
});
