import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MemoryStore } from '../ports/doubles/memory-store.ts';
import { applyText } from './apply.ts';
import { ApiProblem } from './problems.ts';

test('a policy of a Deployment is refused by the agent of one machine, which says where it belongs', async () => {
  const file = join(import.meta.dirname, '../../examples/10-kubernetes-replica-share/haldane.yaml');
  const request = { text: readFileSync(file, 'utf8'), folder: '/', dryRun: true };
  await assert.rejects(applyText(new MemoryStore(), request), (error) => {
    assert.ok(error instanceof ApiProblem);
    assert.match(error.message, /"shop" is for Kubernetes/);
    return true;
  });
});
