import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isWithin } from '../src/portcullis.js';

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
