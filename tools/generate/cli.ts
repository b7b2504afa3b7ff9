/** docs/reference/cli.generated.md: the help of every command, from the program's own definitions. */
import type { Command } from 'commander';
import { type Context, createProgram, type Hooks } from '../../src/cli/index.ts';
import type { GeneratedFile } from '../generate.ts';

const never = () => Promise.reject(new Error('help runs nothing'));
const hooks: Hooks = {
  version: () => '',
  startAgent: never,
  startOperator: never,
  handBackAll: never,
  runGateway: never,
  takeDown: never,
  runDemo: never,
};

export async function generate(): Promise<readonly GeneratedFile[]> {
  let printed: string[] = [];
  const context: Context = {
    hooks,
    env: {},
    cwd: '/',
    terminal: () => ({ isTTY: false, columns: 110, rows: 50 }),
    print: (text) => void printed.push(text),
    say: () => {},
    exit: () => {},
    offsetMinutes: 0,
    actor: '',
  };
  const helpOf = (command: Command) => {
    printed = [];
    command.outputHelp();
    return printed.join('\n').trimEnd();
  };
  const program = createProgram(context);
  const shown = program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help');
  const sections = shown.map((command) => `## haldane ${command.name()}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`);
  const text = `# The command line

Every command with its help, as \`haldane help <command>\` prints it. Commands speak to the agent of a state folder over
its [local API](../api.md); \`--json\` prints what the API answers. What each verb does in each situation of a release is
one table: [commands](commands.generated.md).

\`\`\`text
${helpOf(program)}
\`\`\`

## Environment variables

| variable | meaning |
|---|---|
| \`HALDANE_STATE_DIR\` | the state folder, where \`--state-dir\` is not given |
| \`XDG_STATE_HOME\` | else the state folder is \`$XDG_STATE_HOME/haldane\`, or \`~/.local/state/haldane\` |
| \`NO_COLOR\` | if it is not empty: no colours |
| \`FORCE_COLOR\` | if it is not empty and not \`0\`: colours in a pipe too; \`NO_COLOR\` and \`--plain\` win |

${sections.join('\n')}`;
  return [{ path: 'docs/reference/cli.generated.md', text }];
}
