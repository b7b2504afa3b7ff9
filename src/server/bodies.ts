// The shapes of what is sent to the API. Unknown fields are refused with their path.
import * as z from 'zod';
import { VERBS } from '../core/engine/index.ts';
import type { Verb } from '../core/model/command.ts';
import { nearestName } from '../core/model/nearest.ts';
import { ApiProblem } from './problems.ts';

const reason = z.string().trim().min(1).max(2_000).nullish();
const name = z.string().min(1).max(253);

export const applyBody = z.strictObject({
  text: z.string().max(1_000_000),
  folder: z.string().startsWith('/').max(4_096).optional(),
  dryRun: z.boolean().default(false),
});

export const commandBody = z.strictObject({
  verb: z.enum(VERBS as readonly [Verb, ...Verb[]]),
  id: z
    .string()
    .regex(/^[\w.-]{8,64}$/)
    .optional(),
  release: name.nullish(),
  reason,
  skipAnalysis: z.boolean().default(false),
  gate: name.nullish(),
  revision: name.nullish(),
});

const envName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/);

export const versionBody = z.strictObject({
  version: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/, 'must be 1 to 64 letters, digits, ".", "_", "+" or "-"'),
  env: z.record(envName, z.string().max(32_768)).optional(),
  unset: z.array(envName).max(100).optional(),
  command: z.union([z.string().max(32_768), z.array(z.string().max(32_768)).min(1).max(1_000)]).optional(),
  endpoints: z
    .array(z.strictObject({ host: z.string().min(1).max(255), port: z.int().min(1).max(65_535) }))
    .max(1_000)
    .optional(),
});

export const shutdownBody = z.strictObject({ everything: z.boolean().default(false) });

/** The body as its schema reads it, or a problem that names the field. */
export function readBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  const verb = (body as { verb?: unknown } | null)?.verb;
  const near = path === 'verb' && typeof verb === 'string' ? nearestName(verb, VERBS) : undefined;
  throw new ApiProblem(400, issue?.message ?? 'the body is not as it should be', {
    code: 'body-refused',
    path: path === '' ? '(body)' : path,
    fix: near === undefined ? 'see docs/api.md for the fields' : `did you mean ${near}?`,
  });
}
