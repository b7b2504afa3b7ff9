/**
 * Where measurements come from: `spec.metrics`. The embedded gateway counts by itself; on Kubernetes it is Prometheus, or
 * the pods themselves. It refuses secrets in the document: a policy names keys of Secrets.
 */
import * as z from 'zod';
import { DEFAULT_SCRAPE } from './defaults.ts';
import { choice, defaulted, object, oneOf, optional, required } from './fields.ts';
import { anyText, duration, headerName, matchValue, text, url, urlPath } from './scalars.ts';
import { histogramName, labelName, metricName, objectName, port, selector } from './scalars-kubernetes.ts';

const secretKey = (what: string, key: string) =>
  object(
    { what, elsewhere: { name: 'secret', secretName: 'secret', secretKeyRef: 'secret' } },
    {
      secret: required(objectName('a name'), {
        description: 'Name of a Secret in the namespace of the policy.',
        example: 'prometheus',
      }),
      key: required(
        text({ what: 'a key of a Secret', pattern: /^[-._a-zA-Z0-9]+$/, fix: `write a key such as ${key}` }),
        { description: 'Key in the Secret.', example: key },
      ),
    },
  );

const podCounters = (what: string) =>
  object(
    { what, elsewhere: { total: 'requests', code: 'status', duration: 'latency', histogram: 'latency' } },
    {
      requests: defaulted(metricName(), 'http_requests_total', {
        description: 'Counter of requests.',
        example: 'http_requests_total',
      }),
      status: defaulted(labelName(), 'code', {
        description: 'Label of that counter that holds the status code, as in 500, or its class, as in 5xx.',
        example: 'status',
      }),
      latency: defaulted(histogramName(), 'http_request_duration_seconds', {
        description: 'Classic histogram of durations in seconds, named without `_bucket`.',
        example: 'http_request_duration_seconds',
      }),
    },
  );

const queries = object(
  { what: 'counters by query', elsewhere: { requests: 'total', errors: 'bad', query: 'total' } },
  {
    total: required(selector(), {
      description:
        'Selector of the counter of all requests of one version. $pods is a pattern of its pods, $service its Service.',
      example: 'requests_total{namespace="$namespace", pod=~"$pods"}',
    }),
    bad: required(selector(), {
      description: 'Selector of the counter of the requests that count as errors.',
      example: 'requests_total{namespace="$namespace", pod=~"$pods", result="failed"}',
    }),
    latency: optional(selector(), 'there is no latency: a check that asks for it is refused', {
      description: 'Selector of the buckets of a classic histogram of durations in seconds.',
      example: 'request_seconds_bucket{namespace="$namespace", pod=~"$pods"}',
    }),
  },
);

const counters = oneOf(
  {
    what: 'counters',
    notYet: ['istio', 'linkerd', 'nginx', 'haproxy', 'contour', 'openTelemetry'],
    elsewhere: { query: 'queries', pod: 'pods' },
  },
  {
    pods: choice(podCounters("the pods' own counters"), {
      description: "The pods' own counters, told apart by the label `pod`.",
      example: { requests: 'http_requests_total', status: 'code' },
    }),
    traefik: choice(object({ what: 'the counters of Traefik' }, {}), {
      description: 'The counters of Traefik, told apart by the Service. Written `traefik: {}`.',
      example: {},
    }),
    envoy: choice(object({ what: 'the counters of Envoy' }, {}), {
      description: 'The counters of Envoy (Contour and others), told apart by the Service. Written `envoy: {}`.',
      example: {},
    }),
    queries: choice(queries, {
      description: 'Selectors of your own. Increments are taken from raw samples, so no rate() is written.',
      example: {
        total: 'requests_total{namespace="$namespace", pod=~"$pods"}',
        bad: 'requests_total{namespace="$namespace", pod=~"$pods", result="failed"}',
      },
    }),
  },
);

const prometheus = object(
  {
    what: 'a Prometheus',
    elsewhere: { url: 'address', server: 'address', token: 'bearer', basicAuth: 'basic', tls: 'ca', query: 'counters' },
    notYet: ['sigv4', 'oauth2', 'insecureSkipVerify'],
  },
  {
    address: required(url(), {
      description: 'Where Prometheus, or what speaks its query API, answers.',
      example: 'http://prometheus.monitoring:9090',
    }),
    bearer: optional(secretKey('a bearer token', 'token'), 'no token is sent', {
      description: 'A bearer token.',
      example: { secret: 'prometheus', key: 'token' },
    }),
    basic: optional(
      object(
        { what: 'a user name with a password', elsewhere: { user: 'username' } },
        {
          username: required(anyText('text', 253), { description: 'User name.', example: 'haldane' }),
          password: required(secretKey('a password', 'password'), {
            description: 'Where the password lies.',
            example: { secret: 'prometheus', key: 'password' },
          }),
        },
      ),
      'no user name is sent',
      {
        description: 'Basic authentication.',
        example: { username: 'haldane', password: { secret: 'prometheus', key: 'password' } },
      },
    ),
    ca: optional(secretKey('a certificate authority', 'ca.crt'), 'the authorities of the system are trusted', {
      description: 'Certificates (PEM) by which the server is checked.',
      example: { secret: 'prometheus', key: 'ca.crt' },
    }),
    clientCertificate: optional(
      object(
        { what: 'a client certificate', elsewhere: { cert: 'certificate' } },
        {
          certificate: required(secretKey('a certificate', 'tls.crt'), {
            description: 'The certificate (PEM).',
            example: { secret: 'prometheus', key: 'tls.crt' },
          }),
          key: required(secretKey('a private key', 'tls.key'), {
            description: 'Its private key (PEM).',
            example: { secret: 'prometheus', key: 'tls.key' },
          }),
        },
      ),
      'no client certificate is shown',
      {
        description: 'Shown to the server (mTLS).',
        example: {
          certificate: { secret: 'prometheus', key: 'tls.crt' },
          key: { secret: 'prometheus', key: 'tls.key' },
        },
      },
    ),
    headers: defaulted(
      z.record(headerName(), matchValue()),
      {},
      {
        description: 'Sent with each request, for example the tenant. Secrets do not belong here.',
        example: { 'X-Scope-OrgID': 'shop' },
      },
    ),
    counters: defaulted(
      counters,
      { pods: {} },
      { description: 'Whose counters are read, and what they are called.', example: { traefik: {} } },
    ),
    scrape: defaulted(duration({ min: '1s', max: '5m' }), DEFAULT_SCRAPE, {
      description: 'How often the server scrapes. A sample older than two scrapes is a missing scrape, and no data.',
      example: '30s',
    }),
    lag: defaulted(duration({ max: '10m' }), '2s', {
      description: 'How long a sample needs from its scrape until it can be asked for.',
      example: '30s',
    }),
    timeout: defaulted(duration({ min: '100ms', max: '5m' }), '5s', {
      description: 'An answer that takes longer is an outage, which holds the release.',
      example: '10s',
    }),
  },
);

const pods = object(
  { what: 'direct scraping of pods', elsewhere: { metricsPath: 'path', requests: 'counters' } },
  {
    port: optional(port(), 'the annotation prometheus.io/port of the pod, else its first container port', {
      description: 'Port on which the pods show their counters.',
      example: 8080,
    }),
    path: defaulted(urlPath(), '/metrics', {
      description: 'Path on which the pods show their counters, in the text format of Prometheus.',
      example: '/metrics',
    }),
    counters: defaulted(
      podCounters("names of the pods' counters"),
      {},
      {
        description: 'What the counters are called.',
        example: { requests: 'http_requests_total', status: 'code' },
      },
    ),
    timeout: defaulted(duration({ min: '100ms', max: '1m' }), '2s', {
      description: 'A pod that takes longer to answer is a missing scrape.',
      example: '5s',
    }),
  },
);

export const metricsSchema = oneOf(
  {
    what: 'a source of measurements',
    ifList: 'write where measurements come from, as in metrics: {pods: {}}; what is measured goes to spec.checks',
    notYet: ['datadog', 'cloudwatch', 'influxdb', 'graphite', 'newRelic', 'openTelemetry', 'dynatrace'],
    elsewhere: { address: 'prometheus', scrape: 'pods', errors: 'spec.checks', latency: 'spec.checks' },
  },
  {
    gateway: choice(object({ what: 'the counters of the embedded gateway' }, {}), {
      description: 'The embedded gateway counts by itself. Written `gateway: {}`.',
      example: {},
    }),
    prometheus: choice(prometheus, {
      description: 'Prometheus, or anything that speaks its query API.',
      example: { address: 'http://prometheus.monitoring:9090' },
    }),
    pods: choice(pods, {
      description: 'No Prometheus at all: the pods of both versions are scraped directly.',
      example: { port: 8080 },
    }),
  },
);
