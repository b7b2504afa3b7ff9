// haldane status: where things stand now.
import { Command } from 'commander';
import {
  canLines,
  LEAST_COLUMNS,
  percentText,
  plainLines,
  type ReleaseView,
  renderLines,
  spanText,
  stateGlyph,
  watchLines,
} from '../../core/views/index.ts';
import type { Client } from '../client.ts';
import { type CommonOptions, connect, examples, policyOf, tableText, timeoutOf, withCommon } from '../common.ts';
import { type Context, wantsColour } from '../context.ts';
import { exitCodesText } from '../following.ts';
import { treeLines, treePlain, withTree } from '../object-tree.ts';

interface Options extends CommonOptions {
  readonly verbose?: boolean;
  readonly wait?: boolean;
  readonly image?: string;
  readonly timeout?: string;
}

export function statusCommand(context: Context): Command {
  const command = withCommon(context, new Command('status'))
    .description('where things stand: all policies, or one with its evidence')
    .argument('[policy]', 'its name')
    .option('-v, --verbose', 'every check with its numbers; what each command would do now')
    .action(async (name: string | undefined, options: Options) => {
      const client = await connect(context, options);
      if (options.wait === true) return waitHere(context, client, name, options);
      if (name !== undefined) return showOne(context, client, await policyOf(client, name), options);
      const views = await client.policies();
      if (options.json === true) return context.print(JSON.stringify({ policies: views }));
      if (views.length === 0) return context.print(`${client.noneYet.problem}; ${client.noneYet.fix}`);
      const [only] = views;
      if (views.length === 1 && only !== undefined) return showOne(context, client, only, options);
      const heads = ['NAME', 'VERSION', 'SHARE', 'STATE', 'NEXT', ...(context.side === 'agent' ? ['ADDRESS'] : [])];
      const rows = [...views]
        .sort((a, b) => urgency(a) - urgency(b))
        .map((view) => row(view, options.plain === true).slice(0, heads.length));
      context.print(tableText(heads, rows));
    });
  if (context.side === 'kubernetes') return forCluster(command);
  return examples(command, [
    ['haldane status', 'one line a policy, those that need a person first; a single policy in full'],
    ['haldane status shop -v', 'one policy, with numbers'],
    ['haldane status --json', 'the view model, as the API gives it'],
  ]);
}

function forCluster(command: Command): Command {
  command
    .option('--wait', 'end when it is known what became of the version in its Deployment, with an exit code')
    .option('--image <image>', 'with --wait: the image of that version, should it not stand there yet')
    .option('--timeout <duration>', 'with --wait: stop waiting after this long; the release goes on');
  examples(command, [
    ['haldane status', 'one line a policy, those that need a person first; a single policy in full'],
    ['haldane status shop -v', 'one policy, with numbers and every pod'],
    ['haldane status -A --json', 'the view model of all of them'],
    ['haldane status shop --wait --image app:v2 --timeout 30m', 'in CI, right after the new version was written'],
  ]);
  return command.addHelpText('after', exitCodesText('With --wait'));
}

async function waitHere(context: Context, client: Client, name: string | undefined, options: Options): Promise<void> {
  const timeoutMs = timeoutOf(options.timeout);
  const { policy } = await policyOf(client, name);
  const { KubernetesClient } = await import('../kubernetes/client.ts');
  const { waitForVersion } = await import('../kubernetes/waiting.ts');
  if (!(client instanceof KubernetesClient)) throw new Error('only a cluster has versions that are written elsewhere');
  const waiting = { image: options.image ?? null, timeoutMs, json: options.json === true };
  context.exit((await waitForVersion(context, client, policy.name, waiting)).code);
}

async function showOne(context: Context, client: Client, view: ReleaseView, options: Options): Promise<void> {
  const objects = await client.objects(view.policy.name);
  if (options.json === true) {
    return context.print(JSON.stringify(context.side === 'agent' ? view : { ...view, objects }));
  }
  const { offsetMinutes } = context;
  const { columns } = context.terminal();
  if (options.plain === true) {
    context.print([...plainLines(view, { offsetMinutes }), ...treePlain(objects)].join('\n'));
  } else {
    const lines = watchLines(view, { columns, offsetMinutes, details: options.verbose === true });
    const tree = treeLines(objects, { columns, mostPods: options.verbose === true ? 1_000 : 4 });
    context.print(renderLines(withTree(lines, tree), wantsColour(context, options)));
  }
  if (options.verbose === true) context.print(`\n${canLines(view, Math.max(LEAST_COLUMNS, columns)).join('\n')}`);
}

/** Who needs a person comes first, then what moves, then the rest. */
function urgency(view: ReleaseView): number {
  if (view.needs !== null || view.troubles.length > 0) return 0;
  return view.state === 'at rest' ? 2 : 1;
}

function row(view: ReleaseView, plain: boolean): string[] {
  const { release, policy } = view;
  const stable = view.traffic.rows.find((each) => each.role === 'stable')?.label ?? '–';
  const isOpen = release !== null && release.phase !== 'ended';
  const next = view.next.inMs === null ? view.next.what : `${view.next.what} in ${spanText(view.next.inMs)}`;
  return [
    policy.name,
    isOpen ? `${release.from ?? '–'} → ${release.to}` : stable,
    isOpen ? `${percentText(release.weightPercent)} %` : '100 %',
    plain ? view.state : `${stateGlyph(view)} ${view.state}`,
    isOpen || policy.suspended !== null ? next : '–',
    policy.listen ?? '–',
  ];
}
