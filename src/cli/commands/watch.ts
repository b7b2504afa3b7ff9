// haldane watch: look on as it happens. A terminal gets a screen, everything else a line per decision.
import { Command } from 'commander';
import { decisionKey, decisionLine, type ReleaseView } from '../../core/views/index.ts';
import { type CommonOptions, connect, examples, policyOf, withCommon } from '../common.ts';
import type { Context } from '../context.ts';
import { exitCodesText, Following } from '../following.ts';
import { whoAnswers } from '../side.ts';
import { steadyViews } from '../steady-views.ts';

interface Options extends CommonOptions {
  readonly exitStatus?: boolean;
}

export function watchCommand(context: Context): Command {
  const command = withCommon(context, new Command('watch'))
    .description('look on: traffic, stages, evidence, decisions; keys to act')
    .argument('[policy]', 'its name; may be left out where there is only one')
    .option('--exit-status', 'end when the release under way ends, with its exit code')
    .action(async (name: string | undefined, options: Options) => {
      const client = await connect(context, options);
      const view = await policyOf(client, name);
      const isScreen = context.terminal().isTTY && options.json !== true && options.plain !== true;
      if (!isScreen) return followLines(context, view, options);
      const { runScreen } = await import('../watch-screen.ts');
      await runScreen(context, {
        first: view,
        exitStatus: options.exitStatus === true,
        connect: () => connect(context, options),
      });
    });
  examples(command, [
    ['haldane watch shop', 'a screen; ? shows the keys'],
    ['haldane watch shop --plain', 'a line per decision, for logs and screen readers'],
    ['haldane watch shop --json', 'one view per line'],
    ['haldane watch shop --exit-status', 'in CI, after the release was started elsewhere'],
  ]);
  return command.addHelpText('after', exitCodesText('With --exit-status'));
}

/** A person can end it; an agent that is away is waited for. */
const PATIENCE_MS = 600_000;

async function followLines(context: Context, first: ReleaseView, options: Options): Promise<void> {
  const following = new Following(first, options.exitStatus === true);
  const who = whoAnswers(context.side);
  let shown = '';
  const views = steadyViews({
    policy: first.policy.name,
    connect: () => connect(context, options),
    patienceMs: PATIENCE_MS,
    onAway: () => context.say(`${who} is away; users are served on; waiting for it`),
    onBack: () => context.say(`${who} is back`),
  });
  for await (const { view, client } of views) {
    const key = decisionKey(view);
    if (options.json === true) context.print(JSON.stringify(view));
    else if (key !== shown) context.print(decisionLine(view, context.offsetMinutes));
    shown = key;
    const end = await following.endOf(client, view);
    if (end === null) continue;
    context.exit(end.code);
    return;
  }
}
