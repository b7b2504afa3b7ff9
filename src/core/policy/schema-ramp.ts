/**
 * How the weight rises: `stages`, a `preset`, or a `ramp` that follows the risk bound.
 * It refuses gates that are not built, and leaves rules between fields to `rules-ramp.ts`.
 */
import * as z from 'zod';
import { choice, defaulted, type Json, leaf, object, oneOf, optional, required } from './fields.ts';
import { CODE_DEPLOY_PREFIX, PRESET_EXAMPLES, PRESETS, parsePresetName, presetOf } from './presets.ts';
import { command, duration, name, url, weight, whole, word } from './scalars.ts';

const approval = object(
  { what: 'an approval' },
  {
    name: required(name('a name'), {
      description: 'What is approved; `haldane approve` names it. Unique in the policy.',
      example: 'go-to-half',
    }),
    approvals: defaulted(whole(1, 20, 'a number of people'), 1, {
      description: 'How many people must approve.',
      example: 2,
    }),
  },
);

const webhook = object(
  { what: 'a webhook gate' },
  {
    name: required(name('a name'), {
      description: 'Name of the gate, unique in the policy.',
      example: 'change-window',
    }),
    url: required(url(), {
      description: 'Asked by POST with the release as JSON; 2xx means yes. Asked again until the gate deadline.',
      example: 'https://gates.example.com/shop',
    }),
    timeout: defaulted(duration({ min: '100ms', max: '5m' }), '10s', {
      description: 'No answer within this time is no answer, not a no.',
      example: '5s',
    }),
  },
);

const job = object(
  { what: 'a job gate' },
  {
    name: required(name('a name'), { description: 'Name of the gate, unique in the policy.', example: 'smoke-test' }),
    command: required(command(), {
      description: 'Program and arguments, started without a shell. Exit code 0 means yes, any other end is no yes.',
      example: ['node', 'smoke.js'],
    }),
    timeout: defaulted(duration({ min: '100ms', max: '1d' }), '10m', {
      description: 'The program is ended after this time; that is no yes.',
      example: '2m',
    }),
  },
);

const GATES_EXAMPLE: Json = [{ approval: { name: 'go-to-half' } }];

const gates = z.array(
  oneOf(
    { what: 'a gate', notYet: ['window', 'query', 'migration', 'freeze', 'ticket'] },
    {
      approval: choice(approval, {
        description: 'A yes from people.',
        example: { name: 'go-to-half', approvals: 1 },
      }),
      webhook: choice(webhook, {
        description: 'A yes from another service.',
        example: { name: 'change-window', url: 'https://gates.example.com/shop' },
      }),
      job: choice(job, {
        description: 'A yes from a program that Haldane runs.',
        example: { name: 'smoke-test', command: ['node', 'smoke.js'] },
      }),
    },
  ),
);

const stage = object(
  {
    what: 'a stage',
    elsewhere: {
      setWeight: 'weight',
      percent: 'weight',
      pause: 'bake',
      duration: 'bake',
      wait: 'bake',
      analysis: 'checks',
      steps: 'stages',
    },
  },
  {
    weight: required(weight(), {
      description:
        'Percent of requests asked for the canary, above 0, in steps of 0.01; on Kubernetes a fraction is written as text, as in `"0.5%"`. 100 means promote: it must be the last stage and carries nothing else. With checks, the stages before end at 95 or less, so that a share of stable remains to compare with.',
      example: 5,
    }),
    bake: optional(duration({ max: '30d' }), '5m (a stage of 100 has none)', {
      description: 'Least time at this stage even if all is well. Pauses do not count.',
      example: '10m',
    }),
    checks: optional(z.array(name('a check name')), 'all checks are asked', {
      description:
        'Names of the checks asked before this stage is left. Harm on any check aborts all the same, and the promotion always asks every required check.',
      example: ['errors'],
    }),
    gates: optional(gates, 'nobody is asked', {
      description: 'All must say yes before the stage is left.',
      example: GATES_EXAMPLE,
    }),
    advance: optional(word(['exposure', 'proven'], { what: 'a way to advance' }), 'exposure', {
      description:
        '`exposure`: the stage is left as soon as the risk bound of the next weight is inside the exposure budget. `proven`: only when "worse than the tolerance" is refuted. Promotion always needs the proof.',
      example: 'proven',
    }),
  },
);

export const stagesSchema = z.array(stage);

export const rampSchema = object(
  { what: 'a ramp', notYet: ['linear', 'exponential', 'schedule'] },
  {
    adaptive: required(word(['cautious', 'default', 'bold'], { what: 'an adaptive ramp' }), {
      description:
        'The weight follows the risk bound: w = clamp(B / (U x requests per interval), first, max). cautious: B 5, first 0.5, max 10 percent. default: B 10, first 1, max 20. bold: B 20, first 5, max 50.',
      example: 'cautious',
    }),
    gates: defaulted(gates, [], {
      description: 'All must say yes before the promotion.',
      example: GATES_EXAMPLE,
    }),
  },
);

export const presetSchema = leaf(z.string(), {
  what: `a preset such as ${PRESET_EXAMPLES.join(', ')}`,
  json: {
    enum: PRESETS.flatMap(({ name }) =>
      presetOf(`${CODE_DEPLOY_PREFIX}${name}`) === undefined ? [name] : [name, `${CODE_DEPLOY_PREFIX}${name}`],
    ),
  },
  parse: parsePresetName,
});
