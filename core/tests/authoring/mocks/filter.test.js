import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { sender } from '../proxy/client.js';
import { setTime } from '../proxy/clock.js';
import { values } from '../proxy/metrics.js';
import * as request from '../proxy/request-headers.js';
import * as response from '../proxy/response-headers.js';
import { kept } from '../proxy/verdict-cache.js';
import { judgeHost, judgeRequest, judgeResponse } from '../src/filter.js';
import { block, next } from '../src/portcullis.js';

const shop = { host: 'www.shop.co.uk', port: 443, protocol: 'connect' };

beforeEach(() => {
  kept.length = 0;
  request.fields.clear();
});

test('nobody shops during working hours', () => {
  // A Monday, ten in Berlin.
  setTime(Date.UTC(2026, 2, 2, 9));
  assert.deepEqual(judgeHost.judge(shop), block('back to work, whoever you are'));
  sender.address = '10.0.0.7';
  assert.deepEqual(judgeHost.judge(shop), block('back to work, 10.0.0.7'));
  assert.deepEqual([values.sent_back, values.hour], [2, 10]);
  assert.deepEqual(kept, []);
});

test('who works may shop in the evening and on Sundays', () => {
  for (const time of [Date.UTC(2026, 2, 2, 16), Date.UTC(2026, 2, 1, 9)]) {
    setTime(time);
    assert.deepEqual(judgeHost.judge(shop), next);
    assert.deepEqual(kept.pop(), ['host', 60000n]);
  }
});

test('the shop does not learn where somebody comes from, and robots learn nothing', () => {
  request.fields.give('referer', 'http://a.example/');
  request.fields.give('Accept', '*/*');
  assert.deepEqual(judgeRequest.judge(shop, { method: 'GET', url: 'http://www.shop.co.uk/' }), next);
  assert.deepEqual(request.names(), ['accept']);
  assert.equal(values.referer_bytes, 17);
  assert.deepEqual(judgeResponse.judge(shop, { method: 'GET', url: 'http://www.shop.co.uk/' }, 200), next);
  assert.deepEqual(response.names(), ['x-robots-tag']);
});

test('what belongs to the proxy is its own', () => {
  const bytes = (text) => new TextEncoder().encode(text);
  assert.throws(() => request.set('Host', bytes('b.example')), /the field Host is the proxy's/);
  assert.throws(() => request.append('a b', bytes('c')), /cannot be the name/);
  assert.throws(() => request.set('a', bytes('b\r\nc: d')), /control characters/);
  assert.deepEqual(request.names(), []);
});
