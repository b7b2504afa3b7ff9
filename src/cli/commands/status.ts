// haldane status: where things stand now.
import { Command } from 'commander';
import {
  canLines,
  percentText,
  plainLines,
  type ReleaseView,
  renderLines,
  spanText,
  stateGlyph,
  watchLines,
} from '../../core/views/index.ts';
import { type CommonOptions, connect, examples, listViews, policyOf, tableText, withCommon } from '../common.ts';
import { type Context, wantsColour } from '../context.ts';

interface Options extends CommonOptions {
  readonly verbose?: boolean;
}

export function statusCommand(context: Context): Command {
  const command = withCommon(new Command('status'))
    .description('where things stand: all policies, or one with its evidence')
    .argument('[policy]', 'its name')
    .option('-v, --verbose', 'every check with its numbers; what each command would do now')
    .action(async (name: string | undefined, options: Options) => {
      const client = connect(context, options);
      if (name !== undefined) return showOne(context, await policyOf(client, name), options);
      const views = await listViews(client);
      if (options.json === true) return context.print(JSON.stringify({ policies: views }));
      if (views.length === 0) return context.print('no policy is declared yet; haldane apply -f haldane.yaml');
      const [only] = views;
      if (views.length === 1 && only !== undefined) return showOne(context, only, options);
      const rows = [...views].sort((a, b) => urgency(a) - urgency(b)).map((view) => row(view, options.plain === true));
      context.print(tableText(['NAME', 'VERSION', 'SHARE', 'STATE', 'NEXT', 'ADDRESS'], rows));
    });
  return examples(command, [
    ['haldane status', 'one line a policy, those that need a person first'],
    ['haldane status shop -v', 'one policy, with numbers'],
    ['haldane status --json', 'the view model, as the API gives it'],
  ]);
}

function showOne(context: Context, view: ReleaseView, options: Options): void {
  if (options.json === true) return context.print(JSON.stringify(view));
  const { offsetMinutes } = context;
  if (options.plain === true) context.print(plainLines(view, { offsetMinutes }).join('\n'));
  else {
    const { columns } = context.terminal();
    const lines = watchLines(view, { columns, offsetMinutes, details: options.verbose === true });
    context.print(renderLines(lines, wantsColour(context, options)));
  }
  if (options.verbose === true) context.print(`\n${canLines(view).join('\n')}`);
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
    isOpen ? next : '–',
    policy.listen ?? '–',
  ];
}
