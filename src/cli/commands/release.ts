// haldane release: a new version by command, and, for CI, waiting for how it ends.
import { Command } from 'commander';
import {
  type AppliedAnswer,
  decisionKey,
  decisionLine,
  EXIT_CODES,
  type ExitMeaning,
  outcomeSentence,
  type ReleaseView,
  type VersionAnswer,
} from '../../core/views/index.ts';
import { type AgentClient, policyPath } from '../agent-client.ts';
import {
  type CommonOptions,
  collect,
  connectAgent,
  examples,
  keyValue,
  policyOf,
  timeoutOf,
  withCommon,
} from '../common.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { endOfRelease, exitCodesText } from '../following.ts';
import { steadyViews } from '../steady-views.ts';
import { readPolicyFile } from './apply.ts';

interface Options extends CommonOptions {
  readonly version?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly unset?: readonly string[];
  readonly command?: string;
  readonly endpoint?: readonly string[];
  readonly file?: string;
  readonly wait?: boolean;
  readonly timeout?: string;
}

interface Started {
  /** The release before, if it had ended: how that one ended is not what is asked. */
  readonly endedBefore: string | null;
  readonly policy: string;
  readonly version: string;
  readonly revision: string;
  readonly unchanged: boolean;
  /** The version that the new one is like, but for what was given. */
  readonly before?: string;
}

export function releaseCommand(context: Context): Command {
  const command = withCommon(context, new Command('release'))
    .description('release a new version, and wait for how it ends')
    .argument('[policy]', 'its name; may be left out where there is only one')
    .option('--version <label>', 'what the new version is called')
    .option('--env <NAME=VALUE>', 'an environment variable of the new version; may be given several times', keyValue)
    .option('--unset <NAME>', 'leave an environment variable out', collect)
    .option('--command <line>', 'its command, where that changes')
    .option('--endpoint <host:port>', 'its address, for upstreams; may be given several times', collect)
    .option('-f, --file <file>', 'take policy and version from this file instead')
    .option('--wait', 'show progress and end when the release ends')
    .option('--timeout <duration>', 'with --wait: stop waiting after this long; the release goes on')
    .action(async (name: string | undefined, options: Options) => {
      const timeoutMs = timeoutOf(options.timeout);
      const client = connectAgent(context, options);
      const started = await start(context, client, name, options);
      if (options.wait !== true) return tellStarted(context, started, options);
      if (options.json !== true && !started.unchanged) context.say(declaredText(started));
      const end = await wait(context, { started, timeoutMs, options });
      context.exit(end.code);
    });
  examples(command, [
    ['haldane release shop --version v2 --env FLAVOUR=new', 'the declared version with another label and variable'],
    ['haldane release shop --version v2 --wait --timeout 30m', 'in CI'],
    ['haldane release -f haldane.yaml --wait', 'what the file says'],
  ]);
  return command.addHelpText('after', exitCodesText('With --wait'));
}

async function start(
  context: Context,
  client: AgentClient,
  name: string | undefined,
  options: Options,
): Promise<Started> {
  if (options.file !== undefined) return startFromFile(context, client, name, { ...options, file: options.file });
  if (options.version === undefined) {
    throw new CliError('say what the new version is called', {
      code: 'usage',
      path: '--version',
      fix: 'haldane release shop --version v2 (or -f haldane.yaml)',
    });
  }
  const view = await policyOf(client, name);
  const answer = await client.post<VersionAnswer>(`${policyPath(view.policy.name)}/versions`, {
    version: options.version,
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.unset === undefined ? {} : { unset: options.unset }),
    ...(options.command === undefined ? {} : { command: options.command }),
    ...(options.endpoint === undefined ? {} : { endpoints: options.endpoint.map(endpointOf) }),
  });
  return { ...answer, endedBefore: endedRelease(view) };
}

function endedRelease(view: ReleaseView | undefined): string | null {
  return view?.release?.phase === 'ended' ? view.release.id : null;
}

async function startFromFile(
  context: Context,
  client: AgentClient,
  name: string | undefined,
  options: Options & { file: string },
): Promise<Started> {
  const before = await client.policies();
  const { policies } = await client.post<{ policies: AppliedAnswer[] }>(
    '/v1/apply',
    readPolicyFile(context, options.file),
  );
  const found =
    name === undefined && policies.length === 1 ? policies[0] : policies.find(({ policy }) => policy === name);
  const view = before.find((each) => each.policy.name === found?.policy);
  if (found !== undefined) return { ...found, unchanged: !found.newVersion, endedBefore: endedRelease(view) };
  throw new CliError(`${options.file} holds ${policies.map(({ policy }) => policy).join(', ')}`, {
    code: 'policy-needed',
    path: '[policy]',
    fix: 'name the one to wait for',
  });
}

function endpointOf(text: string): { host: string; port: number } {
  const found = /^(?:http:\/\/)?(?:\[([0-9a-fA-F:.]+)\]|([^:/\s]+)):(\d{1,5})\/?$/.exec(text);
  if (found === null) {
    throw new CliError(`"${text}" is not host:port`, {
      code: 'usage',
      path: '--endpoint',
      fix: 'write --endpoint 127.0.0.1:9001',
    });
  }
  return { host: (found[1] ?? found[2]) as string, port: Number(found[3]) };
}

function tellStarted(context: Context, started: Started, options: Options): void {
  if (options.json === true) return context.print(JSON.stringify(started));
  context.print(
    started.unchanged
      ? `${started.policy}: ${started.version} is declared already; haldane status ${started.policy} says how it stands`
      : `${declaredText(started)}; haldane watch ${started.policy} shows its release`,
  );
}

/** What was not given comes from the version declared before, which need not be the one that serves. */
function declaredText({ policy, version, before }: Started): string {
  return `${policy}: ${version} is declared${before === undefined ? '' : `, as ${before} but for what you gave`}`;
}

interface Waiting {
  readonly started: Started;
  readonly timeoutMs: number | null;
  readonly options: Options;
}

/** An agent may be restarted or replaced meanwhile. */
const PATIENCE_MS = 120_000;

async function wait(context: Context, { started, timeoutMs, options }: Waiting): Promise<ExitMeaning> {
  const signal = timeoutMs === null ? undefined : AbortSignal.timeout(timeoutMs);
  let id: string | null = null;
  let shown = '';
  let last: ReleaseView | null = null;
  const views = steadyViews({
    policy: started.policy,
    connect: () => connectAgent(context, options),
    signal,
    patienceMs: PATIENCE_MS,
    onAway: () => context.say('the agent is away; the release waits for it'),
    onBack: () => context.say('the agent is back'),
  });
  for await (const { view, client } of views) {
    last = view;
    if (decisionKey(view) !== shown && options.json !== true) context.say(decisionLine(view, context.offsetMinutes));
    shown = decisionKey(view);
    if (id === null && isMine(view, started)) id = view.release?.id ?? null;
    if (id === null) {
      const settled = settledWithout(view, started);
      if (settled !== null) return finish(context, options, { view, end: settled, id });
      continue;
    }
    const end = await endOfRelease(client, view, id);
    if (end !== null) return finish(context, options, { view, end, id });
  }
  if (signal?.aborted === true) return finish(context, options, { view: last, end: EXIT_CODES.deadline, id });
  throw new CliError('the agent ended while we waited; the release goes on when it is back', {
    code: 'agent-ended',
    fix: `haldane watch ${started.policy} --exit-status`,
  });
}

function isMine({ release }: ReleaseView, started: Started): boolean {
  return release !== null && release.toRevision === started.revision && release.id !== started.endedBefore;
}

/** No release will start: it is stable already, or it is known as aborted and waits for a person. */
function settledWithout(view: ReleaseView, started: Started): ExitMeaning | null {
  if (view.policy.waiting?.revision === started.revision) return EXIT_CODES.waiting;
  const stable = view.versions.find((version) => version.role === 'stable');
  return stable?.revision === started.revision && view.state === 'at rest' ? EXIT_CODES.promoted : null;
}

interface Finished {
  readonly view: ReleaseView | null;
  readonly end: ExitMeaning;
  readonly id: string | null;
}

function finish(context: Context, options: Options, { view, end, id }: Finished): ExitMeaning {
  const release = view?.release ?? null;
  const isIt = release !== null && release.id === id;
  const sentence =
    isIt && release.outcome !== null ? outcomeSentence(release, view?.evidence ?? []) : (view?.headline ?? '');
  if (options.json === true) {
    context.print(JSON.stringify({ exitCode: end.code, outcome: end.word, sentence, release: id, view }));
  } else context.print(`${end.word}: ${sentence}`);
  return end;
}
