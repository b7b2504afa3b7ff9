// A process that records decisions as fast as it can and says so, line by line, after each: what it said was recorded
// must be there whatever becomes of it. Started and killed by kill.test.ts.
import { writeSync } from 'node:fs';
import { changeFrom, openTrial } from '../support/store-trial.ts';

const folder = process.argv[2] ?? '';
const store = openTrial(folder, { witnessSlackBytes: 30_000 });
writeSync(1, `opened ${store.opening.kind} ${store.opening.messages.join('; ')}\n`);
let version = (await store.readState('shop'))?.version ?? 0;
for (;;) {
  const state = JSON.stringify({ version: version + 1, padding: 'x'.repeat(2_000) });
  const result = await store.record(changeFrom(version, { state }));
  if (result.kind !== 'recorded') throw new Error(`not recorded: ${result.kind}`);
  version = result.version;
  writeSync(1, `${version}\n`);
}
