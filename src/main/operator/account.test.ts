import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryKubeApi } from '../../kubernetes/doubles/index.ts';
import { silentLog } from '../../lib/log.ts';
import { OwnAccount } from './account.ts';

test('the API server says as whom the operator writes; until it does, that is not known', async () => {
  const api = new MemoryKubeApi();
  const account = new OwnAccount(api, silentLog);
  api.answer = () => {
    throw new Error('the API server is busy');
  };
  await account.ask();
  assert.equal(account.name, null);
  api.answer = () => ({ status: { userInfo: { username: 'ann' } } });
  await account.ask();
  assert.equal(account.name, 'ann');
  assert.equal(api.calls.at(-1), 'POST /apis/authentication.k8s.io/v1/selfsubjectreviews');
});
