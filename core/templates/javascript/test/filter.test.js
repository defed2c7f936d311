import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { lines } from '../proxy/log.js';
import { reset } from '../proxy/reset.js';
import { judgeHost, lifecycle } from '../src/filter.js';
import { block, next } from '../src/portcullis.js';

beforeEach(reset);

test('a listed domain is blocked with all names below it', () => {
  lifecycle.init('{"domains": ["blocked.example"]}');
  for (const host of ['blocked.example', 'www.blocked.example']) {
    assert.deepEqual(judgeHost.judge(host, 443), block('blocked.example is blocked here'));
    assert.deepEqual(lines.pop(), ['debug', `${host} is covered by blocked.example`]);
  }
});

test('other hosts are none of its business', () => {
  lifecycle.init('{"domains": ["blocked.example"]}');
  for (const host of ['example', 'notblocked.example', '192.0.2.1']) {
    assert.deepEqual(judgeHost.judge(host, 443), next);
  }
});

test('a domain is written in any case, and an address is only itself', () => {
  lifecycle.init('{"domains": ["Blocked.Example", "0.0.1"]}');
  assert.deepEqual(judgeHost.judge('www.blocked.example', 443), block('Blocked.Example is blocked here'));
  assert.deepEqual(judgeHost.judge('10.0.0.1', 443), next);
});

test('a setting that does not fit is refused by its name', () => {
  assert.throws(() => lifecycle.init('{"domain": []}'), /no setting domain, only domains/);
  assert.throws(() => lifecycle.init('{"domains": 1}'), /domains: 1 is not of the type array/);
});
