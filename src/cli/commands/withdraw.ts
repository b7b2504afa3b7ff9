// haldane withdraw: hands off a policy. Its versions run on and its gateway serves on.
import { Command } from 'commander';
import { policyPath } from '../agent-client.ts';
import { type CommonOptions, connectAgent, examples, policyOf, withCommon } from '../common.ts';
import type { Context } from '../context.ts';

export function withdrawCommand(context: Context): Command {
  const command = withCommon(context, new Command('withdraw'))
    .description('stop releasing a workload; what serves goes on as it is')
    .argument('<policy>', 'its name')
    .action(async (name: string, options: CommonOptions) => {
      const client = connectAgent(context, options);
      const { policy } = await policyOf(client, name);
      const answer = await client.delete<{ message: string }>(policyPath(policy.name));
      context.print(options.json === true ? JSON.stringify(answer) : `${policy.name}: withdrawn; ${answer.message}`);
    });
  return examples(command, [['haldane withdraw shop', 'a release under way is aborted first; stable serves on']]);
}
