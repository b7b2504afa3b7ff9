// haldane completion bash|zsh|fish: a script made from the program's own commands and options. And what kubectl asks to
// complete `kubectl haldane`: proposals for the words so far.
import { Argument, Command } from 'commander';
import { connect, examples } from '../common.ts';
import type { Context } from '../context.ts';
import { optionsBefore } from '../side.ts';

export function completionCommand(context: Context, program: () => Command): Command {
  const command = new Command('completion')
    .description('print a completion script for your shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action((shell: 'bash' | 'zsh' | 'fish') => {
      const name = context.side === 'agent' ? 'haldane' : 'kubectl-haldane';
      context.print(SCRIPTS[shell](outline(program()), name));
    });
  if (context.side === 'kubernetes') {
    return examples(command, [
      ['source <(kubectl completion bash)', "completes kubectl haldane too, by kubectl's own completion"],
      ['source <(haldane completion bash)', 'completes kubectl-haldane, called by its own name'],
    ]);
  }
  return examples(command, [
    ['source <(haldane completion bash)', 'in ~/.bashrc'],
    ['haldane completion zsh > ~/.zfunc/_haldane', 'with ~/.zfunc in fpath'],
    ['haldane completion fish > ~/.config/fish/completions/haldane.fish', 'fish'],
  ]);
}

/** kubectl's own rule: proposals a line, then a number; 4 means "no file names", 0 "file names too". */
export function completeCommand(context: Context, program: () => Command): Command {
  return new Command('__complete')
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: readonly string[]) => {
      const { proposals, files } = await proposalsFor(context, outline(program()), words);
      for (const proposal of proposals) context.print(proposal);
      context.print(`:${files ? 0 : 4}`);
    });
}

async function proposalsFor(context: Context, commands: readonly CommandOutline[], words: readonly string[]) {
  const last = words.at(-1) ?? '';
  const matching = (all: readonly string[]) => all.filter((each) => each.startsWith(last));
  const before = optionsBefore(words);
  const name = words[before];
  if (words.length - before <= 1) return { proposals: matching(commands.map((each) => each.name)), files: false };
  const options = commands.find((each) => each.name === name)?.options.map(({ long }) => long) ?? [];
  if (last.startsWith('-')) return { proposals: matching(options), files: false };
  if (['-f', '--file', '--kubeconfig'].includes(words.at(-2) ?? '')) return { proposals: [], files: true };
  return { proposals: matching(await policyNames(context, words)), files: false };
}

/** None where the cluster is not reached: completion is no place for errors. */
async function policyNames(context: Context, words: readonly string[]): Promise<readonly string[]> {
  const after = (...options: string[]) => words[words.findIndex((word) => options.includes(word)) + 1];
  const given = (...options: string[]) =>
    words.some((word) => options.includes(word)) ? after(...options) : undefined;
  const [namespace, name, kubeconfig] = [given('-n', '--namespace'), given('--context'), given('--kubeconfig')];
  try {
    const client = await connect(context, {
      allNamespaces: words.includes('-A'),
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { context: name }),
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
    });
    return (await client.policies()).map(({ policy }) => policy.name);
  } catch {
    return [];
  }
}

interface CommandOutline {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly { readonly long: string; readonly summary: string }[];
}

function outline(program: Command): CommandOutline[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .map((command) => ({
      name: command.name(),
      summary: command.description(),
      options: command.options.flatMap((option) =>
        option.long == null || option.hidden ? [] : [{ long: option.long, summary: option.description }],
      ),
    }));
}

const SCRIPTS: Readonly<
  Record<'bash' | 'zsh' | 'fish', (commands: readonly CommandOutline[], program: string) => string>
> = {
  bash,
  zsh,
  fish,
};

function bash(commands: readonly CommandOutline[], program: string): string {
  const name = functionName(program);
  const cases = commands.map(
    ({ name, options }) => `    ${name}) words="${options.map(({ long }) => long).join(' ')} --help" ;;`,
  );
  return `# bash completion for ${program}
${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')}" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}
complete -F ${name} ${program}`;
}

const functionName = (program: string) => `_${program.replaceAll('-', '_')}`;

const zshQuoted = (text: string) =>
  text.replaceAll("'", "'\\''").replaceAll(':', '\\:').replaceAll('[', '(').replaceAll(']', ')');

function zsh(commands: readonly CommandOutline[], program: string): string {
  const name = functionName(program);
  const cases = commands.map(({ name, options }) => {
    const specs = options.map(({ long, summary }) => `'${long}[${zshQuoted(summary)}]'`);
    return `    ${name}) _arguments ${[...specs, "'*:file:_files'"].join(' ')} ;;`;
  });
  return `#compdef ${program}
${name}() {
  if (( CURRENT == 2 )); then
    local -a commands=(
${commands.map(({ name, summary }) => `      '${name}:${zshQuoted(summary)}'`).join('\n')}
    )
    _describe command commands
    return
  fi
  shift words; (( CURRENT-- ))
  case "$words[1]" in
${cases.join('\n')}
  esac
}
compdef ${name} ${program}`;
}

const fishQuoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function fish(commands: readonly CommandOutline[], program: string): string {
  const lines = commands.flatMap(({ name, summary, options }) => [
    `complete -c ${program} -n __fish_use_subcommand -f -a ${name} -d ${fishQuoted(summary)}`,
    ...options.map(
      ({ long, summary: text }) =>
        `complete -c ${program} -n '__fish_seen_subcommand_from ${name}' -l ${long.slice(2)} -d ${fishQuoted(text)}`,
    ),
  ]);
  return `# fish completion for ${program}\n${lines.join('\n')}`;
}
