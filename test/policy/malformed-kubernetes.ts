/** Wrong policies of Kubernetes: place, value, a word of the reason. Kept by hand. */
import { REMOVED } from './bases.ts';
import type { Row } from './malformed.ts';

const D = 'spec.workload.deployment';
const G = 'spec.router.gatewayApi';
const O = `${G}.route.owned`;
const R = 'spec.router.replicaShare';
const P = 'spec.metrics.prometheus';
const C = 'spec.metrics.prometheus.counters';
const RATE = 'rate(requests_total{pod=~"$pods"}[5m])';

const gatewayApi: readonly Row[] = [
  [`${D}.name`, REMOVED, 'required'],
  [`${D}.name`, 'Shop', 'small letters'],
  [`${D}.container`, 'App', 'small letters'],
  [`${D}.pods`, 'shared', 'does not select'],
  [`${D}.pods`, 'isolate', 'did you mean isolated'],
  [`${D}.label`, 'a b', 'label key'],
  [`${D}.onRemoval`, 'delete', 'not what to do'],
  [`${D}.replicas`, 3, 'did you mean spec.canary'],
  [`${D}.template`, {}, 'did you mean name'],
  ['spec.workload', { statefulSet: { name: 'shop' } }, 'not available here yet', 'spec.workload.statefulSet'],
  ['spec.workload', { daemonSet: { name: 'shop' } }, 'not available here yet', 'spec.workload.daemonSet'],
  ['spec.workload', { rollout: { name: 'shop' } }, 'not available here yet', 'spec.workload.rollout'],
  ['spec.router', REMOVED, 'replicaShare: {service: shop}'],
  ['spec.router', { gateway: {} }, 'embedded gateway cannot split'],
  ['spec.router', { istio: {} }, 'not available here yet', 'spec.router.istio'],
  ['spec.router', { httpRoute: {} }, 'did you mean gatewayApi', 'spec.router.httpRoute'],
  ['spec.metrics', REMOVED, 'metrics: {pods: {}}'],
  ['spec.metrics', { gateway: {} }, 'does not see', 'spec.metrics.gateway'],
  ['spec.metrics', [{ name: 'errors' }], 'goes to spec.checks'],
  ['spec.metrics', { datadog: {} }, 'not available here yet', 'spec.metrics.datadog'],
  [`${G}.service`, REMOVED, 'required'],
  [`${G}.service`, 'shop.web', 'name of a Service'],
  [`${G}.service`, 'a'.repeat(57), 'at most 56'],
  [`${G}.port`, 0, 'out of range'],
  [`${G}.port`, 'http', 'not a port'],
  [`${G}.route`, REMOVED, 'required'],
  [`${G}.route`, {}, 'exactly one'],
  [`${G}.route`, { owned: { parents: [{ name: 'web' }] }, adopted: { name: 'shop' } }, 'exactly one'],
  [`${G}.hostnames`, ['shop.test'], 'did you mean route'],
  [`${G}.mirror`, 0.5, 'write "0.5%"'],
  ['spec.stages[0].weight', 0.5, 'write "0.5%"'],
  [`${G}.mirror`, '0%', 'above 0'],
  [`${G}.mirror`, '120%', '100'],
  [`${G}.settle`, 3, 'unit'],
  [`${G}.settle`, '11m', 'too long'],
  [`${O}.parents`, [], 'no Gateway'],
  [`${O}.parents`, REMOVED, 'required'],
  [`${O}.parents[0].name`, REMOVED, 'required'],
  [`${O}.parents[0].port`, 65_536, 'out of range'],
  [`${O}.parentRefs`, [], 'did you mean parents'],
  [`${O}.hostnames`, ['shop.test', 'shop.test'], 'twice', `${O}.hostnames[1]`],
  [`${O}.hostnames`, ['shop.test:80'], 'host name', `${O}.hostnames[0]`],
  [`${O}.matches`, [], 'no request'],
  [`${O}.matches[0].type`, 'RegularExpression', 'not available here yet'],
  [`${O}.matches[0].headers`, [], 'not available here yet'],
  [`${O}.matches`, Array.from({ length: 33 }, (_, at) => ({ path: `/${at}` })), 'at most 32'],
  ['spec.userKey', { cookie: 'user_id' }, 'affinity: {}'],
  ['spec.stages[0].gates', [{ job: { name: 'smoke', command: 'x' } }], 'webhook', 'spec.stages[0].gates[0].job'],
  [`${P}.address`, 'prometheus:9090', 'URL'],
  [`${P}.address`, 'http://me:secret@prometheus:9090', 'policies live in git'],
  [`${P}.url`, 'http://prometheus:9090', 'did you mean address'],
  [`${P}.bearer`, 'secret', 'not a bearer token'],
  [`${P}.bearer.secret`, REMOVED, 'required'],
  [`${P}.bearer.key`, 'a/b', 'key of a Secret'],
  [`${P}.basic`, { username: 'me', password: { secret: 's', key: 'k' } }, 'keep one', P],
  [`${P}.headers.Authorization`, 'Bearer x', 'policies live in git'],
  [`${P}.headers.a b`, 'x', 'header name', `${P}.headers["a b"]`],
  [`${P}.insecureSkipVerify`, true, 'not available here yet'],
  [`${P}.scrape`, '10m', 'too long'],
  [`${P}.lag`, '-1s', 'duration'],
  [C, {}, 'exactly one'],
  [C, { istio: {} }, 'not available here yet', `${C}.istio`],
  [`${C}.pods.requests`, 'requests-total', 'Prometheus metric'],
  [`${C}.pods.status`, 'le code', 'Prometheus label'],
  [`${C}.pods.latency`, 'request_seconds_bucket', 'write request_seconds'],
  ['spec.routes', [{ name: 'checkout', path: '/checkout' }], 'only the embedded gateway'],
  ['spec.checks[0].routes', ['other'], 'only the embedded gateway'],
  ['spec.checks[0].methods', ['GET'], 'only the embedded gateway'],
  ['spec.errors.methods', ['GET'], 'only the embedded gateway'],
  ['spec.errors.exceptRoutes', [], 'only the embedded gateway'],
  ['spec.errors.retryHeader', 'x-request-id', 'only the embedded gateway'],
  ['spec.errors.endings', ['timeout'], 'status codes'],
  ['spec.checks[3].metric.count.event', 'throttledPeriods', 'throttled periods', 'spec.checks[3].metric.count'],
  ['spec.checks[3].metric', { mean: { cap: 5 } }, 'values of users', 'spec.checks[3].metric.mean'],
  ['spec.checks[3].metric', { conversion: { horizon: '1h' } }, 'conversions', 'spec.checks[3].metric.conversion'],
  ['spec.checks[3].metric', { gauge: { reading: 'cpu' } }, 'readings', 'spec.checks[3].metric.gauge'],
];

const adopted: readonly Row[] = [
  [`${G}.mirror`, '10%', 'only an owned route'],
  ['spec.affinity', {}, 'adopted route'],
  ['spec.audience', [{ header: { name: 'canary', value: 'true' } }], 'adopted route', 'spec.audience[0]'],
  [`${C}.queries.total`, RATE, 'calls rate()'],
  [`${C}.queries.total`, 'requests_total', 'same for both versions'],
  [`${C}.queries.total`, 'requests_total{pod=~"$pod"}', 'known are $pods'],
  [`${C}.queries.total`, 'requests_total{pod=~"$pods"}[5m]', 'range'],
  [`${C}.queries.total`, 'requests_total{pod=~"$pods"', 'not a selector'],
  [`${C}.queries.bad`, REMOVED, 'required'],
  [`${C}.queries.latency`, REMOVED, 'default checks ask for it', `${C}.queries`],
  ['spec.errors.codes', [429], 'query `bad`'],
];

const replicaShare: readonly Row[] = [
  [`${D}.pods`, 'isolated', 'pods: shared'],
  [`${D}.label`, 'app', 'never used'],
  [`${R}.service`, REMOVED, 'required'],
  [`${R}.name`, 'shop', 'did you mean service'],
  [`${R}.port`, 80, 'not available here yet'],
  ['spec.userKey', { cookie: 'user_id' }, 'use router.gatewayApi'],
  ['spec.affinity', {}, 'use router.gatewayApi'],
  ['spec.audience', [{ header: { name: 'canary', value: 'true' } }], 'use router.gatewayApi'],
  [
    'spec.metrics',
    { prometheus: { address: 'http://p:9090', counters: { traefik: {} } } },
    'behind one',
    `${C}.traefik`,
  ],
  ['spec.metrics.pods.path', 'metrics', 'starts with /'],
  ['spec.metrics.pods.port', 'http', 'not a port'],
  ['metadata.namespace', 'Web', 'small letters'],
];

const machine: readonly Row[] = [
  ['spec.router', { replicaShare: { service: 'shop' } }, 'not pods', R],
  ['spec.router', { gatewayApi: { service: 'shop', route: { adopted: { name: 'a' } } } }, 'not pods', G],
  ['spec.metrics', { pods: {} }, 'on Kubernetes only', 'spec.metrics.pods'],
  ['spec.metrics', { prometheus: { address: 'http://p:9090' } }, 'on Kubernetes only', P],
];

function from(base: 'gatewayApi' | 'adopted' | 'replicaShare', rows: readonly Row[]): readonly Row[] {
  return rows.map(([place, value, word, path]): Row => [place, value, word, path, base]);
}

export const KUBERNETES_ROWS: readonly Row[] = [
  ...from('gatewayApi', gatewayApi),
  ...from('adopted', adopted),
  ...from('replicaShare', replicaShare),
  ...machine,
];
