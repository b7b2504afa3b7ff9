import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { actorOf, createGuard, isLoopback } from './guard.ts';

const guard = createGuard('a-token-of-some-length', () => 7480);

describe('the guard of the API', () => {
  it('lets loopback names with the right port in, and nobody else', () => {
    for (const host of ['127.0.0.1:7480', 'localhost:7480', 'LOCALHOST:7480', '[::1]:7480']) guard.checkHost(host);
    const refused = [
      undefined,
      '',
      '127.0.0.1',
      'localhost:80',
      'evil.example',
      'localhost.evil.example:7480',
      '127.0.0.1:7480.evil',
    ];
    for (const host of refused) assert.throws(() => guard.checkHost(host), { code: 'host-refused' });
  });

  it('wants the whole token and nothing beside it', () => {
    guard.checkToken('Bearer a-token-of-some-length');
    const refused = [
      undefined,
      '',
      'a-token-of-some-length',
      'Bearer a-token',
      'Bearer a-token-of-some-length2',
      'bearer  x',
      'Basic eDp5',
    ];
    for (const token of refused) assert.throws(() => guard.checkToken(token), { code: 'token-refused' });
  });

  it('takes an actor as claimed, without control characters and not endless', () => {
    assert.equal(actorOf(encodeURIComponent('Žofie@böx')), 'Žofie@böx');
    assert.equal(actorOf('a%0Ab'), 'a b');
    assert.equal(actorOf('%E0%A4'), '%E0%A4');
    assert.equal(actorOf(undefined), 'a holder of the token');
    assert.equal(actorOf('x'.repeat(500)).length, 128);
  });

  it('knows loopback', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) assert.ok(isLoopback({ host, port: 1 }), host);
    for (const host of ['0.0.0.0', '::', '128.0.0.1', '127.0.0.1.evil.example', ''])
      assert.ok(!isLoopback({ host, port: 1 }), host);
  });
});
