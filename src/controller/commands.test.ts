import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandOf, policyNamed, scripted, Trial } from '../../test/support/controller-trial.ts';
import { submitCommand } from './commands.ts';

const answering = scripted(({ observation }) => ({
  answers: observation.commands.map(({ id, verb }) => ({ id, accepted: true, message: `${verb}: done` })),
  lookAgainMs: 60_000,
}));

test('a command is answered at once, with no look in between to wait for', async () => {
  const trial = new Trial(answering);
  await trial.start(policyNamed('shop'));
  const answer = submitCommand(trial, commandOf('pause'), 5_000);
  await trial.clock.advance(0);
  assert.deepEqual(await answer, { id: 'command-pause', accepted: true, message: 'pause: done' });
  assert.equal(trial.clock.now().monotonicMs, 0);
  await trial.controller.stop();
});

test('a command that comes while the loop backs off does not wait for it', async () => {
  let isBroken = true;
  const trial = new Trial(
    scripted((input) => {
      if (isBroken) throw new Error('broken');
      return answering.decide(input);
    }),
  );
  await trial.start(policyNamed('shop'));
  await trial.clock.advance(120_000);
  isBroken = false;
  const answer = submitCommand(trial, commandOf('abort'), 5_000);
  await trial.clock.advance(0);
  assert.equal((await answer)?.accepted, true);
  await trial.controller.stop();
});

test('without an answer in time there is none, and the command stays pending', async () => {
  const trial = new Trial(scripted(() => ({})));
  await trial.start(policyNamed('shop'));
  const answer = submitCommand(trial, commandOf('approve'), 3_000);
  await trial.clock.advance(3_000);
  assert.equal(await answer, null);
  assert.equal((await trial.store.pendingCommands('shop')).length, 1);
  await trial.controller.stop();
});

test('row 69: a command given while no agent runs is carried out by the next one, with who and when', async () => {
  const seen: unknown[] = [];
  const trial = new Trial(
    scripted((input) => {
      seen.push(...input.observation.commands);
      return answering.decide(input);
    }),
  );
  const approve = commandOf('approve');
  await trial.store.addCommand({ id: approve.id, policy: 'shop', document: JSON.stringify(approve) });
  await trial.start(policyNamed('shop'));
  assert.deepEqual(seen, [approve]);
  await trial.restart();
  assert.deepEqual(seen, [approve]);
  assert.match((await trial.store.command(approve.id))?.answer ?? '', /done/);
  await trial.controller.stop();
});

test('row 68: a command nobody can read is refused with the reason and stops nothing', async () => {
  const trial = new Trial(answering);
  await trial.store.addCommand({ id: 'bad', policy: 'shop', document: '{"verb":' });
  await trial.store.addCommand({ id: 'odd', policy: 'shop', document: '{"id":"other"}' });
  const good = commandOf('resume');
  await trial.store.addCommand({ id: good.id, policy: 'shop', document: JSON.stringify(good) });
  await trial.start(policyNamed('shop'));
  assert.match((await trial.store.command('bad'))?.answer ?? '', /"accepted":false.*not JSON/);
  assert.match((await trial.store.command('odd'))?.answer ?? '', /"accepted":false.*lacks an id/);
  assert.match((await trial.store.command(good.id))?.answer ?? '', /"accepted":true/);
  await trial.controller.stop();
});
