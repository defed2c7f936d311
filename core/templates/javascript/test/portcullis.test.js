import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { local } from 'portcullis:filter/clock@1.0.0';
import * as headers from 'portcullis:filter/request-headers@1.0.0';

import { clear, said } from '../proxy/answer.js';
import { reset } from '../proxy/reset.js';
import * as portcullis from '../src/portcullis.js';

const { addressText, bytes, hook, isWithin, judge, keep, next, withhold } = portcullis;

beforeEach(reset);

test('a name is within itself and what it lies below', () => {
  for (const [host, domain] of [
    ['evil.example', 'evil.example'],
    ['www.evil.example', 'evil.example'],
    ['a.b.c.evil.example', 'example'],
    ['www.evil.example', '.eVIL.exAMPLE.'],
    ['localhost', 'localhost'],
    ['10.0.0.1', '10.0.0.1'],
    ['2001:db8::1', '2001:DB8::1'],
  ]) {
    assert.equal(isWithin(host, domain), true, `${host} in ${domain}`);
  }
});

test('a common ending is not enough', () => {
  for (const [host, domain] of [
    ['notevil.example', 'evil.example'],
    ['evil.example', 'www.evil.example'],
    ['evil.example.org', 'evil.example'],
    ['evil.example', 'xample'],
    ['evil.example', ''],
    ['evil.example', '.'],
    ['evil.example', 'é.example'],
    ['10.0.0.1', '0.0.1'],
    ['10.0.0.1', '1'],
    ['2001:db8::10.0.0.1', '0.0.1'],
  ]) {
    assert.equal(isWithin(host, domain), false, `${host} in ${domain}`);
  }
});

test('an address is written in its usual spelling', () => {
  const v6 = (...val) => ({ tag: 'ipv6', val });
  assert.equal(addressText({ tag: 'ipv4', val: [10, 0, 0, 7] }), '10.0.0.7');
  for (const [address, written] of [
    [v6(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), '2001:db8::1'],
    [v6(0, 0, 0, 0, 0, 0, 0, 0), '::'],
    [v6(0, 0, 0, 0, 0, 0, 0, 1), '::1'],
    [v6(1, 0, 0, 2, 0, 0, 0, 0), '1:0:0:2::'],
    [v6(1, 0, 0, 2, 3, 0, 0, 4), '1::2:3:0:0:4'],
    [v6(1, 0, 2, 0x10, 0, 3, 0, 0xa0), '1:0:2:10:0:3:0:a0'],
  ]) {
    assert.equal(addressText(address), written);
  }
});

test('a verdict can say more than its case does', () => {
  const more = { retryAfter: 1500, matched: 'limit', fields: { 'Cache-Control': 'no-store', 'X-Rule': bytes('7') } };
  assert.deepEqual(portcullis.block('later', { status: 429, ...more }), { tag: 'block', val: { status: 429, reason: 'later' } });
  keep(60_000);
  const fields = [['Cache-Control', 'no-store'], ['X-Rule', '7']].map(([name, value]) => ({ name, value: bytes(value) }));
  assert.deepEqual(said, { keep: 60_000n, retryAfter: 1500n, matched: 'limit', fields });
  assert.deepEqual(portcullis.replace('text/plain', 'é').val, { status: 200, contentType: 'text/plain', body: bytes('é') });
  assert.deepEqual(portcullis.ask('Is this all right?', { otherwise: 'next' }).val, {
    text: 'Is this all right?',
    otherwise: 'next',
    wait: 60_000n,
  });
  assert.throws(() => portcullis.block('no', { code: 404 }), /block\(…\) has no option code/);
});

test('an argument that does not fit is an error with its name', () => {
  const { ask, block, redirect, replace } = portcullis;
  const milliseconds = 'and it has to be whole milliseconds';
  const named = 'and it has to be an object with the names of header fields as its keys';
  for (const [call, message] of [
    [() => block(), 'reason is undefined, and it has to be a text'],
    [() => block(5), 'reason is 5, and it has to be a text'],
    [() => block('no', { status: 'high' }), 'status is "high", and it has to be 400 to 599'],
    [() => block('no', { status: '404' }), 'status is "404", and it has to be 400 to 599'],
    [() => block('no', { status: 99999 }), 'status is 99999, and it has to be 400 to 599'],
    [() => block('no', { retryAfter: 1.5 }), `retryAfter is 1.5, ${milliseconds}`],
    [() => block('no', { retryAfter: -5 }), `retryAfter is -5, ${milliseconds}`],
    [() => block('no', { retryAfter: NaN }), `retryAfter is NaN, ${milliseconds}`],
    [() => block('no', { retryAfter: 2n ** 64n }), `retryAfter is ${2n ** 64n}, ${milliseconds}`],
    [() => block('no', { retryAfter: null }), `retryAfter is null, ${milliseconds}`],
    [() => block('no', { matched: 7 }), 'matched is 7, and it has to be a text'],
    [() => block('no', { fields: { 'X-A': 7 } }), "fields['X-A'] is 7, and it has to be a text or bytes"],
    [() => block('no', { fields: 'X-A' }), `fields is "X-A", ${named}`],
    [() => block('no', { fields: ['X-A: 1'] }), `fields is ["X-A: 1"], ${named}`],
    [() => block('no', { fields: new Map([['X-A', '1']]) }), `fields is {}, ${named}`],
    [() => redirect({}), 'location is {}, and it has to be a text'],
    [() => redirect('/', { status: 200 }), 'status is 200, and it has to be 301, 302, 303, 307 or 308'],
    [() => replace(7, ''), 'contentType is 7, and it has to be a text'],
    [() => replace('', [7]), 'body is [7], and it has to be a text or bytes'],
    [() => replace('', '', { status: 200.5 }), 'status is 200.5, and it has to be 200 to 599'],
    [() => ask(7), 'text is 7, and it has to be a text'],
    [() => ask('?', { otherwise: 'allow' }), `otherwise is "allow", and it has to be 'next' or 'block'`],
    [() => ask('?', { wait: 0.5 }), `wait is 0.5, ${milliseconds}`],
    [() => keep(undefined), `time is undefined, ${milliseconds}`],
  ]) {
    assert.throws(call, { message });
  }
  assert.deepEqual(said, { keep: undefined, retryAfter: undefined, matched: undefined, fields: [] });
});

test('a field that cannot be added is named', () => {
  for (const [name, message] of [
    ['Content-Length', 'the field Content-Length belongs to the proxy and cannot be changed'],
    ['X A', 'the field X A has a name or a value that is not possible in HTTP'],
  ]) {
    assert.throws(() => portcullis.block('no', { fields: { [name]: '1' } }), { message });
  }
});

test('a field that is more than the proxy takes is named', () => {
  const message = 'the field X-Last is more than can be added to an answer: 1000 fields, and 64 KiB of names and values';
  const many = Object.fromEntries([...Array(1000).keys()].map((n) => [`X-${n}`, '']));
  const large = { 'X-Large': 'x'.repeat((64 << 10) - 'X-Large'.length) };
  for (const fields of [many, large]) {
    clear();
    portcullis.block('no', { fields });
    clear();
    assert.throws(() => portcullis.block('no', { fields: { ...fields, 'X-Last': '' } }), { message });
  }
});

test('more fields of a message than the proxy takes change nothing', () => {
  const refused = { payload: { tag: 'size-exceeded' } };
  const empty = (name) => ({ name, value: bytes('') });
  const isFull = () => {
    const before = headers.all();
    assert.throws(() => headers.append('X-Last', bytes('')), refused);
    assert.throws(() => headers.set('X-Last', bytes('')), refused);
    assert.throws(() => headers.setAll([...before, empty('X-Last')]), refused);
    assert.deepEqual(headers.all(), before);
  };
  headers.setAll([...Array(1000).keys()].map((n) => empty(`X-${n}`)));
  isFull();
  headers.set('X-0', bytes('in place of one'));

  reset();
  headers.append('X-Large', bytes('x'.repeat((64 << 10) - 'X-Large'.length)));
  isFull();
  // What the message has is not added once more.
  headers.setAll(headers.all());
});

test('what goes wrong is told with its place', () => {
  const fails = (call, text) => assert.throws(hook(call), (thrown) => text.test(thrown));
  fails(() => next.val.status, /^TypeError: .*'status'.* \(test\/portcullis.test.js:\d+\)$/);
  fails(() => headers.set('Host', bytes('a.example')), /^the proxy answers forbidden \(test\/portcullis.test.js:\d+\)$/);
  fails(() => local('Nowhere'), /^there is no time zone Nowhere; .* \(test\/portcullis.test.js:\d+\)$/);
  fails(() => { throw 'not today'; }, /^not today$/);
  assert.throws(judge(() => 'block'), (thrown) => /the hook answered "block"; a verdict is next, allow, /.test(thrown));
});

test('what a filter has not is said to be missing', () => {
  const sandbox = { Date, Math: {} };
  withhold(sandbox);
  for (const use of [() => new sandbox.Date(), () => sandbox.Date.now()]) {
    assert.throws(use, /no clock of its own; import { now, local } from 'portcullis:filter\/clock@1.0.0'/);
  }
  assert.equal(new sandbox.Date(Date.UTC(2026, 2, 2)).toISOString(), '2026-03-02T00:00:00.000Z');
  for (const use of [() => sandbox.Math.random(), () => sandbox.crypto.randomUUID()]) {
    assert.throws(use, /no random numbers of its own; import { number, bytes } from 'portcullis:filter\/random@1.0.0'/);
  }
  assert.throws(() => sandbox.setTimeout(() => {}, 1), /no timers; tick is/);
  assert.throws(() => sandbox.fetch('http://a.example'), /no network/);
  assert.throws(() => sandbox.console.log('here'), /no console/);
});
