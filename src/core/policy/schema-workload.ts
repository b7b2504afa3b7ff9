/**
 * What is released: `spec.workload`. Processes that Haldane runs, upstreams that someone else runs, or a Deployment.
 * It refuses to run anything through a shell, and to name a kind of workload that is not built.
 */
import * as z from 'zod';
import { choice, defaulted, object, oneOf, optional, required } from './fields.ts';
import {
  anyText,
  bytes,
  command,
  duration,
  envName,
  fileName,
  labelKey,
  name,
  upstream,
  urlPath,
  versionLabel,
  whole,
  word,
} from './scalars.ts';
import { objectName } from './scalars-kubernetes.ts';

const probe = (what: string) =>
  object(
    { what },
    {
      path: required(urlPath(), {
        description: 'Path asked by HTTP GET on each replica; an answer of 2xx or 3xx means yes.',
        example: '/healthz',
      }),
      interval: defaulted(duration({ min: '100ms', max: '1h' }), '1s', {
        description: 'Time from one question to the next.',
        example: '2s',
      }),
      timeout: defaulted(duration({ min: '10ms', max: '5m' }), '1s', {
        description: 'No answer within this time is a no.',
        example: '500ms',
      }),
      failures: defaulted(whole(1, 100, 'a number of failures'), 3, {
        description: 'How many times no in a row before no is believed. One yes is believed at once.',
        example: 5,
      }),
    },
  );

const version = () =>
  optional(versionLabel(), 'the version is called by its revision, the hash of the template', {
    description:
      'What people call this version. It is part of the revision: editing it alone is a new version and starts a release.',
    example: 'v2',
  });

const processTemplate = object(
  { what: 'a process template', elsewhere: { cmd: 'command', args: 'command', cwd: 'workingDirectory' } },
  {
    version: version(),
    command: required(command(), {
      description:
        'Program and arguments, as a list of words or as one line split at blanks (quotes work, no shell runs). Each replica finds its address in the environment variables HOST and PORT.',
      example: ['node', 'server.js'],
    }),
    env: defaulted(
      z.record(envName(), anyText('text', 32_768)),
      {},
      {
        description: 'Environment variables. HOST and PORT are set per replica and cannot be written here.',
        example: { LOG_LEVEL: 'info' },
      },
    ),
    workingDirectory: optional(fileName('a folder'), 'the folder of the policy file', {
      description: 'Folder in which the command is started; a relative one starts at the folder of the policy file.',
      example: '/srv/shop',
    }),
  },
);

const processes = object(
  { what: 'a process workload', elsewhere: { readiness: 'ready', liveness: 'live', terminationGracePeriod: 'stop' } },
  {
    replicas: defaulted(whole(1, 1_000, 'a number of replicas'), 1, {
      description: 'How many processes of stable run. The canary is sized by `spec.canary`.',
      example: 3,
    }),
    ready: optional(probe('a readiness probe'), 'a replica is ready when its port accepts a connection', {
      description: 'Asked before a replica gets requests, and for as long as it runs.',
      example: { path: '/healthz' },
    }),
    live: optional(probe('a liveness probe'), 'a replica is restarted only when its process ends', {
      description: 'A replica that says no is restarted.',
      example: { path: '/livez', failures: 5 },
    }),
    stop: defaulted(duration({ max: '1h' }), '30s', {
      description: 'Time from SIGTERM to SIGKILL, after the replica has no request in flight.',
      example: '10s',
    }),
    restart: defaulted(
      object(
        { what: 'a restart back-off' },
        {
          initial: defaulted(duration({ min: '10ms', max: '1h' }), '1s', {
            description: 'Wait before the first restart; it doubles with each that follows.',
            example: '500ms',
          }),
          max: defaulted(duration({ min: '10ms', max: '1h' }), '30s', {
            description: 'The longest wait between two restarts.',
            example: '1m',
          }),
        },
      ),
      {},
      {
        description: 'How long to wait before a process that ended is started again.',
        example: { initial: '1s', max: '1m' },
      },
    ),
    logs: defaulted(
      object(
        { what: 'log settings' },
        {
          maxBytes: defaulted(bytes({ min: '1KiB', max: '1TiB' }), '10MiB', {
            description: 'A log file is put aside when it has grown to this size.',
            example: '50MiB',
          }),
          files: defaulted(whole(1, 100, 'a number of files'), 5, {
            description: 'Log files kept per replica, the one being written included.',
            example: 3,
          }),
        },
      ),
      {},
      {
        description: 'Where the output of the processes goes is up to the agent; how much of it is kept is said here.',
        example: { maxBytes: '50MiB', files: 3 },
      },
    ),
    template: required(processTemplate, {
      description: 'The version itself. Any change in here is a new version and starts a release.',
      example: { version: 'v2', command: ['node', 'server.js'] },
    }),
  },
);

const upstreamTemplate = object(
  { what: 'an upstream template' },
  {
    version: version(),
    endpoints: required(z.array(upstream()), {
      description: 'Where this version answers: host:port or http://host:port. At least one.',
      example: ['127.0.0.1:9001', 'http://127.0.0.1:9002'],
    }),
  },
);

const upstreams = object(
  { what: 'an upstream workload' },
  {
    ready: optional(probe('a readiness probe'), 'an endpoint is ready when it accepts a connection', {
      description: 'Asked before an endpoint gets requests, and for as long as it is in use.',
      example: { path: '/healthz' },
    }),
    template: required(upstreamTemplate, {
      description: 'The version itself. Any change in here is a new version and starts a release.',
      example: { version: 'v2', endpoints: ['127.0.0.1:9001'] },
    }),
  },
);

const deployment = object(
  {
    what: 'a Deployment',
    elsewhere: { deployment: 'name', targetRef: 'name', replicas: 'spec.canary', template: 'name' },
    notYet: ['selector', 'progressDeadline'],
  },
  {
    name: required(objectName('a name'), {
      description:
        'Name of the Deployment, in the namespace of the policy. It stays as it is: a new pod template waits in it until it is proven. A policy keeps its Deployment: for another one write another policy.',
      example: 'shop',
    }),
    container: optional(name('a container name'), 'the first container', {
      description: 'Container whose image names the version: `shop:v2` is called v2.',
      example: 'app',
    }),
    pods: optional(
      word(['isolated', 'shared'], { what: 'a kind of canary pods' }),
      'isolated; shared with `router.replicaShare`',
      {
        description:
          '`isolated`: canary pods get another value in one label, so that the Service of stable never selects them. `shared`: they keep all labels, and a readiness gate lets them into the Service.',
        example: 'isolated',
      },
    ),
    label: optional(labelKey(), 'chosen among the labels that both the Service and the Deployment select', {
      description: 'The label whose value tells isolated canary pods apart (`shop` becomes `shop-canary`).',
      example: 'app',
    }),
    onRemoval: defaulted(word(['restore', 'letGo'], { what: 'what to do' }), 'restore', {
      description:
        "When the policy is removed while a template waits: `restore` puts stable's template back, `letGo` lets the waiting one roll out.",
      example: 'letGo',
    }),
  },
);

export const workloadSchema = oneOf(
  {
    what: 'a workload',
    notYet: [
      'daemonSet',
      'statefulSet',
      'replicaSet',
      'cronJob',
      'rollout',
      'kubernetes',
      'lambda',
      'ecs',
      'systemd',
      'docker',
      'nomad',
      'flag',
    ],
    elsewhere: { process: 'processes', upstream: 'upstreams' },
  },
  {
    processes: choice(processes, {
      description: 'Processes on this machine, started, probed, restarted and stopped by Haldane.',
      example: {
        replicas: 2,
        ready: { path: '/healthz' },
        template: { version: 'v1', command: ['node', 'server.js'] },
      },
    }),
    upstreams: choice(upstreams, {
      description: 'Versions that someone else runs, known by their addresses.',
      example: { template: { version: 'v1', endpoints: ['127.0.0.1:9001'] } },
    }),
    deployment: choice(deployment, {
      description: 'A plain Deployment of Kubernetes, left as it is. Its versions are its pod templates.',
      example: { name: 'shop' },
    }),
  },
);
