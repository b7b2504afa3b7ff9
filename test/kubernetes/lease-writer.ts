/**
 * A process that writes for as long as it holds a lease, as fast as it can: `node lease-writer.ts NAMESPACE IDENTITY`. It says
 * on a line each when it gains and loses the lease, and ends when it has lost it. It refuses to write past its fence.
 */
import { argv, env, stdout } from 'node:process';
import { realClock } from '../../src/kubernetes/conformance.ts';
import { CONFIG_MAPS, clusterConfigOf, HttpKubeApi, LeaderLease } from '../../src/kubernetes/index.ts';
import { silentLog } from '../../src/lib/log.ts';

const [, , namespace = 'default', identity = 'a'] = argv;
const WRITERS = 4;
const userAgent = `haldane/test (${identity})`;
const config = clusterConfigOf({ kubeconfig: null, context: null, env });
const lease = new LeaderLease({
  api: new HttpKubeApi({ config, userAgent, callLimitMs: 1_000 }),
  namespace,
  name: 'trial',
  identity,
  clock: realClock,
  wallTime: () => new Date().toISOString(),
  random: Math.random,
  log: silentLog,
  leaseMs: 3_000,
  retryMs: 400,
});
const api = new HttpKubeApi({ config, userAgent, fence: () => lease.fence() });
const say = (what: string) => stdout.write(`${what}\n`);

lease.onGained((transitions) => {
  say(`gained ${transitions}`);
  for (let writer = 0; writer < WRITERS; writer += 1) void write(transitions, writer);
});
lease.onLost(() => say('lost'));
await lease.run(new AbortController().signal);
// What a careless caller would still do after it: none of it may arrive.
for (let i = 0; i < 20; i += 1) await writeOnce(lease.transitions, 9, i);
process.exit(0);

async function write(term: number, writer: number): Promise<void> {
  for (let n = 0; ; n += 1) await writeOnce(term, writer, n);
}

async function writeOnce(term: number, writer: number, n: number): Promise<void> {
  const metadata = { namespace, name: `w-${identity}-${writer}-${n}`, labels: { trial: 'lease', term: String(term) } };
  await api.create(CONFIG_MAPS, { metadata, data: { identity } }).catch(() => realClock.sleep(5));
}
