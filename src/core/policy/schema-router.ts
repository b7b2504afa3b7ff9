/**
 * Who splits the requests: `spec.router`, and how users are told apart and kept (`userKey`, `affinity`, `audience`).
 * It refuses routers that are not built here.
 */
import * as z from 'zod';
import { choice, defaulted, object, oneOf, optional, required } from './fields.ts';
import {
  bytes,
  cookieName,
  duration,
  fileName,
  headerName,
  listen,
  matchValue,
  name,
  urlPath,
  weight,
  whole,
  word,
} from './scalars.ts';
import { objectName, port, routeHost, serviceName } from './scalars-kubernetes.ts';

const timeouts = object(
  { what: 'time-outs of the gateway' },
  {
    connect: defaulted(duration({ min: '10ms', max: '5m' }), '5s', {
      description: 'For a connection to a version to open. Past it the request ends as `connect-failed`.',
      example: '2s',
    }),
    response: defaulted(duration({ min: '10ms', max: '1d' }), '60s', {
      description: 'Until the head of the response is there. Past it the request ends as `timeout`.',
      example: '30s',
    }),
    idle: defaulted(duration({ min: '100ms', max: '1d' }), '75s', {
      description: 'A kept-alive connection on which nothing is sent is closed after this time.',
      example: '60s',
    }),
    head: defaulted(duration({ min: '100ms', max: '10m' }), '10s', {
      description: 'The whole head of a request must have come by then.',
      example: '5s',
    }),
  },
);

const limits = object(
  { what: 'limits of the gateway' },
  {
    head: defaulted(bytes({ min: '256B', max: '1MiB' }), '16KiB', {
      description: 'Largest head of a request.',
      example: '32KiB',
    }),
    body: defaulted(bytes(), '1GiB', { description: 'Largest body of a request.', example: '100MiB' }),
    connections: defaulted(whole(1, 1_000_000, 'a number of connections'), 10_000, {
      description: 'Connections from users open at the same time.',
      example: 2_000,
    }),
  },
);

const gateway = object(
  { what: 'a gateway' },
  {
    listen: defaulted(listen(), 8080, {
      description:
        'Where users reach the service. A bare port listens on 127.0.0.1 only; write 0.0.0.0:8080 or [::]:8080 to open it to the network.',
      example: '0.0.0.0:8080',
    }),
    timeouts: defaulted(
      timeouts,
      {},
      {
        description: 'How long the gateway waits. Each time-out is counted under its own name.',
        example: { connect: '2s', response: '30s' },
      },
    ),
    limits: defaulted(
      limits,
      {},
      {
        description: 'What the gateway refuses, so that one client cannot take it down.',
        example: { body: '100MiB' },
      },
    ),
    accessLog: optional(fileName('a file name'), 'no access log is written', {
      description: 'File for one line per request; a relative one starts at the folder of the policy file.',
      example: '/var/log/shop/access.log',
    }),
  },
);

const service = () =>
  required(serviceName(), {
    description: 'The Service that means stable, in the namespace of the policy. Haldane never writes it.',
    example: 'shop',
  });

const replicaShare = object(
  { what: 'replica share', notYet: ['port'], elsewhere: { services: 'service', name: 'service' } },
  { service: service() },
);

const parent = object(
  { what: 'a parent of the route', elsewhere: { gateway: 'name' } },
  {
    name: required(objectName('a name'), { description: 'Name of the Gateway.', example: 'web' }),
    namespace: optional(name('a namespace'), 'the namespace of the policy', {
      description: 'Namespace of the Gateway.',
      example: 'default',
    }),
    sectionName: optional(objectName('the name of a listener'), 'every listener that takes the host names', {
      description: 'Name of one listener of the Gateway.',
      example: 'https',
    }),
    port: optional(port(), 'every port', { description: 'Port of the listeners of the Gateway.', example: 443 }),
  },
);

const routeMatch = object(
  { what: 'a match', notYet: ['headers', 'method', 'queryParams'], elsewhere: { prefix: 'path', value: 'path' } },
  {
    path: required(urlPath(), { description: 'Path of the requests that the route takes.', example: '/' }),
    type: defaulted(
      word(['PathPrefix', 'Exact'], { what: 'a type of match', notYet: ['RegularExpression'] }),
      'PathPrefix',
      { description: 'How the path is compared.', example: 'Exact' },
    ),
  },
);

const ownedRoute = object(
  { what: 'an owned route', elsewhere: { parentRefs: 'parents', hosts: 'hostnames', rules: 'matches' } },
  {
    name: optional(objectName('a name'), 'the name of the Deployment', {
      description: 'Name of the HTTPRoute that Haldane writes.',
      example: 'shop',
    }),
    parents: required(z.array(parent), {
      description: 'The Gateways that the route hangs on. At least one.',
      example: [{ name: 'web', namespace: 'default' }],
    }),
    hostnames: defaulted(z.array(routeHost()), [], {
      description: 'Host names that the route takes; none means every host of the listeners.',
      example: ['shop.example.com'],
    }),
    matches: defaulted(z.array(routeMatch), [{ path: '/' }], {
      description: 'Which requests the route takes; one match is enough.',
      example: [{ path: '/shop', type: 'PathPrefix' }],
    }),
  },
);

const adoptedRoute = object(
  { what: 'an adopted route', elsewhere: { route: 'name' } },
  {
    name: required(objectName('a name'), {
      description: 'Name of an HTTPRoute that somebody else writes, with a rule that points at the Service.',
      example: 'shop',
    }),
  },
);

const gatewayApi = object(
  { what: 'a Gateway API router', elsewhere: { httpRoute: 'route', hostnames: 'route', parents: 'route' } },
  {
    service: service(),
    port: optional(port(), 'the only port of the Service', {
      description: 'Port of the Service that requests are sent to.',
      example: 80,
    }),
    route: required(
      oneOf(
        { what: 'a route', notYet: ['grpc', 'tls', 'tcp'], elsewhere: { name: 'adopted', own: 'owned' } },
        {
          owned: choice(ownedRoute, {
            description:
              'The HTTPRoute is described here and written by Haldane. Header matches, affinity and mirror are possible.',
            example: { parents: [{ name: 'web', namespace: 'default' }], hostnames: ['shop.example.com'] },
          }),
          adopted: choice(adoptedRoute, {
            description:
              'The HTTPRoute stays in git: Haldane changes only the weights of backends in rules that point at the Service.',
            example: { name: 'shop' },
          }),
        },
      ),
      {
        description: 'Who writes the HTTPRoute: whoever applies it owns its whole list of rules.',
        example: { owned: { parents: [{ name: 'web', namespace: 'default' }], hostnames: ['shop.example.com'] } },
      },
    ),
    mirror: optional(weight(), 'nothing is mirrored', {
      description:
        'Percent of stable\'s requests of which a copy is sent to the canary too; its answers are thrown away. Owned routes only, and only where the implementation has mirrors. A fraction is written as text, as in `"0.5%"`.',
      example: '10%',
    }),
    settle: defaulted(duration({ max: '10m' }), '3s', {
      description:
        'After the route is accepted: how long until every proxy is taken to use it, where none can be asked.',
      example: '5s',
    }),
  },
);

const NOT_YET_ROUTERS = [
  'haproxy',
  'nginx',
  'envoy',
  'caddy',
  'traefik',
  'istio',
  'linkerd',
  'ingress',
  'alb',
  'kuma',
  'contour',
  'consul',
  'smi',
  'apisix',
  'openshift',
];

export const routerSchema = oneOf(
  {
    what: 'a router',
    notYet: NOT_YET_ROUTERS,
    elsewhere: { gatewayAPI: 'gatewayApi', httpRoute: 'gatewayApi', service: 'replicaShare', replicas: 'replicaShare' },
  },
  {
    gateway: choice(gateway, {
      description: 'The gateway that comes with Haldane: a reverse proxy for HTTP/1.1 in a process of its own.',
      example: { listen: 8080 },
    }),
    replicaShare: choice(replicaShare, {
      description:
        'Nothing but a Service of Kubernetes: the share of the canary is the number of its ready pods among all ready pods.',
      example: { service: 'shop' },
    }),
    gatewayApi: choice(gatewayApi, {
      description: 'An HTTPRoute of the Gateway API of Kubernetes, with weights between two Services.',
      example: {
        service: 'shop',
        route: { owned: { parents: [{ name: 'web', namespace: 'default' }], hostnames: ['shop.example.com'] } },
      },
    }),
  },
);

export const userKeySchema = object(
  { what: 'a user key' },
  {
    cookie: optional(cookieName(), 'no cookie is read', {
      description: 'Cookie that holds a steady key of the user. Read first.',
      example: 'user_id',
    }),
    header: optional(headerName(), 'no header is read', {
      description: 'Header that holds a steady key of the user. Read when the cookie is not there.',
      example: 'x-user-id',
    }),
  },
);

export const affinitySchema = object(
  { what: 'session affinity' },
  {
    cookie: defaulted(cookieName(), 'haldane-version', {
      description: 'Name of the cookie the gateway sets.',
      example: 'shop-version',
    }),
    ttl: defaulted(duration({ min: '1s', max: '30d' }), '1h', {
      description: 'How long a user keeps the version first given, in whole seconds.',
      example: '30m',
    }),
  },
);

const match = (what: string, named: ReturnType<typeof headerName>, example: string) =>
  object(
    { what },
    {
      name: required(named, { description: `Name of the ${what}.`, example }),
      value: required(matchValue(), { description: 'The exact value.', example: 'true' }),
    },
  );

export const audienceSchema = z.array(
  oneOf(
    { what: 'a rule of the audience', notYet: ['query', 'claim', 'country', 'segment', 'percent'] },
    {
      header: choice(match('header', headerName(), 'canary'), {
        description: 'Requests with this header get the canary.',
        example: { name: 'canary', value: 'true' },
      }),
      cookie: choice(match('cookie', cookieName(), 'beta'), {
        description: 'Requests with this cookie get the canary.',
        example: { name: 'beta', value: 'yes' },
      }),
    },
  ),
);
