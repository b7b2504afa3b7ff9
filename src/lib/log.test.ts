import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HaldaneError } from './errors.ts';
import { createLog, type LogOptions } from './log.ts';

class Broken extends HaldaneError {}

function logInto(lines: string[], options: Partial<LogOptions> = {}) {
  const wallTime = () => '2026-01-01T00:00:00.000Z';
  return createLog({ level: 'info', format: 'json', write: (line) => lines.push(line), wallTime, ...options });
}

test('a line is JSON with time, level, message, and the fields bound and given', () => {
  const lines: string[] = [];
  logInto(lines).with({ policy: 'shop' }).warn('effect failed', { failures: 2 });
  assert.deepEqual(JSON.parse(lines[0] ?? ''), {
    wallTime: '2026-01-01T00:00:00.000Z',
    level: 'warn',
    message: 'effect failed',
    policy: 'shop',
    failures: 2,
  });
});

test('lines below the level are not written', () => {
  const lines: string[] = [];
  const log = logInto(lines, { level: 'warn' });
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  assert.equal(lines.length, 2);
});

test('errors keep their message, their code and their fix; large integers are written', () => {
  const lines: string[] = [];
  const error = new Broken('no way', { code: 'broken', fix: 'go round' });
  logInto(lines).error('failed', { error, cause: new Error('deep'), bytes: 12n });
  const line = JSON.parse(lines[0] ?? '');
  assert.deepEqual(line.error, { code: 'broken', message: 'no way', retry: 'never', fix: 'go round' });
  assert.deepEqual(line.cause, { name: 'Error', message: 'deep' });
  assert.equal(line.bytes, '12');
});

test("a line for a person's eye is one line, with quotes only where they are needed", () => {
  const lines: string[] = [];
  logInto(lines, { format: 'human' }).info('decided', { policy: 'shop', because: 'bakes at 5 %\nand waits' });
  assert.deepEqual(lines, ['2026-01-01T00:00:00.000Z INFO  decided policy=shop because="bakes at 5 %\\nand waits"']);
});

test('a log never throws into the code that logs', () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const log = logInto([], {
    write: () => {
      throw new Error('disk full');
    },
  });
  log.error('failed', circle);
  log.error('failed');
});
