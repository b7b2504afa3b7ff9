/** docs/reference/cli.generated.md and kubectl.generated.md: the help of every command, from the program's own definitions. */
import type { Command } from 'commander';
import { type Context, createProgram, type Hooks, inWordsOf, type Side } from '../../src/cli/index.ts';
import type { GeneratedFile } from '../generate.ts';

const never = () => Promise.reject(new Error('help runs nothing'));
const hooks: Hooks = {
  version: () => '',
  startAgent: never,
  startOperator: never,
  kubernetes: never,
  handBackAll: never,
  runGateway: never,
  takeDown: never,
  runDemo: never,
};

interface Help {
  readonly whole: string;
  readonly sections: string;
}

function helpOf(side: Side): Help {
  let printed: string[] = [];
  const context: Context = {
    hooks,
    side,
    env: {},
    cwd: '/',
    terminal: () => ({ isTTY: false, columns: 110, rows: 50 }),
    print: (text) => void printed.push(inWordsOf(side, text)),
    say: () => {},
    exit: () => {},
    offsetMinutes: 0,
    wallMs: () => 0,
    sleep: never,
    actor: '',
  };
  const textOf = (command: Command) => {
    printed = [];
    command.outputHelp();
    return printed.join('\n').trimEnd();
  };
  const program = createProgram(context);
  const shown = program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help');
  const sections = shown.map(
    (command) => `## ${program.name()} ${command.name()}\n\n\`\`\`text\n${textOf(command)}\n\`\`\`\n`,
  );
  return { whole: textOf(program), sections: sections.join('\n') };
}

export async function generate(): Promise<readonly GeneratedFile[]> {
  const [agent, cluster] = [helpOf('agent'), helpOf('kubernetes')];
  return [
    { path: 'docs/reference/cli.generated.md', text: agentPage(agent) },
    { path: 'docs/reference/kubectl.generated.md', text: clusterPage(cluster) },
  ];
}

function agentPage({ whole, sections }: Help): string {
  return `# The command line

Every command with its help, as \`haldane help <command>\` prints it. Commands speak to the agent of a state folder over
its [local API](../api.md); \`--json\` prints what the API answers. What each verb does in each situation of a release is
one table: [commands](commands.generated.md). For policies in a cluster: [kubectl haldane](kubectl.generated.md).

\`\`\`text
${whole}
\`\`\`

## Environment variables

| variable | meaning |
|---|---|
| \`HALDANE_STATE_DIR\` | the state folder, where \`--state-dir\` is not given |
| \`XDG_STATE_HOME\` | else the state folder is \`$XDG_STATE_HOME/haldane\`, or \`~/.local/state/haldane\` |
| \`HALDANE_KUBE\` | if it is not empty and not \`0\`: \`haldane\` is \`kubectl haldane\` |
| \`NO_COLOR\` | if it is not empty: no colours |
| \`FORCE_COLOR\` | if it is not empty and not \`0\`: colours in a pipe too; \`NO_COLOR\` and \`--plain\` win |

${sections}`;
}

function clusterPage({ whole, sections }: Help): string {
  return `# kubectl haldane

Every command with its help, as \`kubectl haldane help <command>\` prints it. Commands ask the API server of a cluster with
the rights of your kubeconfig; how that works is said in [kubectl](../kubernetes/kubectl.md). What each verb does in each
situation of a release is one table: [commands](commands.generated.md).

\`\`\`text
${whole}
\`\`\`

## Environment variables

| variable | meaning |
|---|---|
| \`KUBECONFIG\` | how to reach the cluster, where \`--kubeconfig\` is not given |
| \`NO_COLOR\` | if it is not empty: no colours |
| \`FORCE_COLOR\` | if it is not empty and not \`0\`: colours in a pipe too; \`NO_COLOR\` and \`--plain\` win |

${sections}`;
}
