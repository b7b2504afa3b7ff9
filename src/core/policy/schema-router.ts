/**
 * Who splits the requests: `spec.router`, and how users are told apart and kept (`userKey`, `affinity`, `audience`).
 * It refuses routers that are not built here.
 */
import * as z from 'zod';
import { choice, defaulted, object, oneOf, optional, required } from './fields.ts';
import { bytes, cookieName, duration, fileName, headerName, listen, matchValue, whole } from './scalars.ts';

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

const NOT_YET_ROUTERS = [
  'haproxy',
  'nginx',
  'envoy',
  'caddy',
  'traefik',
  'gatewayApi',
  'istio',
  'linkerd',
  'ingress',
  'replicaShare',
  'alb',
  'kuma',
  'contour',
  'consul',
  'smi',
  'apisix',
  'openshift',
];

export const routerSchema = oneOf(
  { what: 'a router', notYet: NOT_YET_ROUTERS },
  {
    gateway: choice(gateway, {
      description: 'The gateway that comes with Haldane: a reverse proxy for HTTP/1.1 in a process of its own.',
      example: { listen: 8080 },
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
