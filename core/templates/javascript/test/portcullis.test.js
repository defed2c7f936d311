import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isWithin, withhold } from '../src/portcullis.js';

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

test('what a filter has not is said to be missing', () => {
  const sandbox = { Date, Math: {} };
  withhold(sandbox);
  for (const use of [() => new sandbox.Date(), () => sandbox.Date.now()]) {
    assert.throws(use, /no clock of its own; import { now, local } from 'portcullis:filter\/clock@0.1.0'/);
  }
  assert.equal(new sandbox.Date(Date.UTC(2026, 2, 2)).toISOString(), '2026-03-02T00:00:00.000Z');
  assert.throws(() => sandbox.Math.random(), /no random numbers/);
  assert.throws(() => sandbox.fetch('http://a.example'), /no network/);
  assert.throws(() => sandbox.console.log('here'), /no console/);
});
