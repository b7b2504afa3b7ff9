// Whether a configuration may be put in force: its shape, and that everything it names is there. It refuses unknown
// fields, weights that do not add up, and a split that would send anyone to a version without a place (row 17).
import { isIP } from 'node:net';
import { z } from 'zod';
import { AUDIENCE_ROUTE, type GatewayConfig, OTHER_ROUTE } from '../core/model/gateway.ts';
import { HaldaneError } from '../lib/errors.ts';

export class ConfigInvalid extends HaldaneError {
  constructor(path: string, message: string, fix?: string) {
    super(message, { code: 'gateway-config-invalid', path, ...(fix === undefined ? {} : { fix }) });
  }
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const token = z.string().regex(TOKEN, 'must be an HTTP token');
const revision = z.string().regex(/^[A-Za-z0-9._-]{1,128}$/, 'must be 1 to 128 letters, digits, ".", "_" or "-"');
const fieldValue = z.string().regex(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/, 'must be printable ASCII');
const port = z.int().min(0).max(65_535);
const ms = z.int().min(1).max(86_400_000);
const host = z.string().regex(/^[A-Za-z0-9._:%-]{1,255}$/, 'must be a host name or an address, without brackets');
const endpoint = z.strictObject({ host, port });
const upstream = z.strictObject({ host, port: port.min(1) });
const pair = z.strictObject({ name: token, value: fieldValue });

const schema = z.strictObject({
  generation: z.int().min(0),
  service: z.string().min(1).max(253),
  listen: endpoint,
  versions: z
    .array(z.strictObject({ revision, label: z.string().max(200), endpoints: z.array(upstream).max(1_000) }))
    .min(1)
    .max(50),
  split: z.strictObject({
    weights: z
      .array(z.strictObject({ revision, weightPercent: z.number().min(0).max(100) }))
      .min(1)
      .max(10),
    rules: z.array(z.strictObject({ header: pair.optional(), cookie: pair.optional(), revision })).max(100),
    salt: z.string().max(256),
    userKey: z.strictObject({ cookie: token.optional(), header: token.optional() }).nullable(),
    affinity: z.strictObject({ cookie: token, ttlSeconds: z.int().min(1).max(31_536_000) }).nullable(),
  }),
  routes: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[A-Za-z0-9._/-]{1,100}$/),
        pattern: z.string().startsWith('/').max(1_000),
      }),
    )
    .max(200),
  retryHeader: token.nullable(),
  timeouts: z.strictObject({ connectMs: ms, responseMs: ms, idleMs: ms, headMs: ms }),
  limits: z.strictObject({
    headBytes: z.int().min(256).max(1_048_576),
    bodyBytes: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
    connections: z.int().min(1).max(1_000_000),
  }),
  accessLog: z.string().min(1).nullable(),
  trustedProxies: z.array(z.string().refine(isRange, 'must be an address or address/prefix')).max(100).optional(),
});

function isRange(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

/** The configuration, or ConfigInvalid with the path of the first fault. */
export function parseConfig(input: unknown): GatewayConfig {
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ConfigInvalid(pathText(issue?.path ?? []), issue?.message ?? 'is not a gateway configuration');
  }
  const config = parsed.data as GatewayConfig;
  checkNames(config);
  checkWeights(config);
  checkRules(config);
  return config;
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`))
    .join('');
}

function checkNames(config: GatewayConfig): void {
  const revisions = config.versions.map((version) => version.revision);
  refuseTwice(revisions, 'versions', 'revision');
  // Several patterns may share a name (a route is a named set of paths); the same pattern twice is a mistake.
  refuseTwice(
    config.routes.map((route) => route.pattern),
    'routes',
    'pattern',
  );
  const taken = config.routes.findIndex((route) => route.name === OTHER_ROUTE || route.name === AUDIENCE_ROUTE);
  if (taken < 0) return;
  throw new ConfigInvalid(`routes[${taken}].name`, '"other" names what matches no route, "audience" what a rule sent');
}

function refuseTwice(names: readonly string[], path: string, field: string): void {
  const at = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (at >= 0) throw new ConfigInvalid(`${path}[${at}].${field}`, `${names[at]} is there twice`);
}

function checkWeights(config: GatewayConfig): void {
  const weights = config.split.weights;
  refuseTwice(
    weights.map((entry) => entry.revision),
    'split.weights',
    'revision',
  );
  let hundredths = 0;
  weights.forEach((entry, i) => {
    const scaled = Math.round(entry.weightPercent * 100);
    const path = `split.weights[${i}]`;
    if (Math.abs(scaled - entry.weightPercent * 100) > 1e-6) {
      throw new ConfigInvalid(`${path}.weightPercent`, `${entry.weightPercent} is finer than 0.01 %`);
    }
    hundredths += scaled;
    requireVersion(config, entry.revision, `${path}.revision`, scaled > 0);
  });
  if (hundredths !== 10_000) {
    throw new ConfigInvalid('split.weights', `the weights add up to ${hundredths / 100}, not to 100`);
  }
}

function checkRules(config: GatewayConfig): void {
  config.split.rules.forEach((rule, i) => {
    const path = `split.rules[${i}]`;
    if (rule.header === undefined && rule.cookie === undefined) {
      throw new ConfigInvalid(path, 'a rule needs a header or a cookie to match');
    }
    requireVersion(config, rule.revision, `${path}.revision`, true);
  });
  const key = config.split.userKey;
  if (key !== null && key.cookie === undefined && key.header === undefined) {
    throw new ConfigInvalid('split.userKey', 'needs a cookie or a header to read', 'use null for no user key');
  }
}

function requireVersion(config: GatewayConfig, wanted: string, path: string, needsEndpoint: boolean): void {
  const version = config.versions.find((entry) => entry.revision === wanted);
  if (version === undefined) throw new ConfigInvalid(path, `${wanted} is not among the versions`);
  if (needsEndpoint && version.endpoints.length === 0) {
    throw new ConfigInvalid(path, `${wanted} has no endpoint, so its requests would be sent to nothing`);
  }
}
