// haldane completion bash|zsh|fish: a script made from the program's own commands and options.
import { Argument, Command } from 'commander';
import { examples } from '../common.ts';
import type { Context } from '../context.ts';

export function completionCommand(context: Context, program: () => Command): Command {
  const command = new Command('completion')
    .description('print a completion script for your shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action((shell: 'bash' | 'zsh' | 'fish') => context.print(SCRIPTS[shell](outline(program()))));
  return examples(command, [
    ['source <(haldane completion bash)', 'in ~/.bashrc'],
    ['haldane completion zsh > ~/.zfunc/_haldane', 'with ~/.zfunc in fpath'],
    ['haldane completion fish > ~/.config/fish/completions/haldane.fish', 'fish'],
  ]);
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
        option.long == null ? [] : [{ long: option.long, summary: option.description }],
      ),
    }));
}

const SCRIPTS: Readonly<Record<'bash' | 'zsh' | 'fish', (commands: readonly CommandOutline[]) => string>> = {
  bash,
  zsh,
  fish,
};

function bash(commands: readonly CommandOutline[]): string {
  const cases = commands.map(
    ({ name, options }) => `    ${name}) words="${options.map(({ long }) => long).join(' ')} --help" ;;`,
  );
  return `# bash completion for haldane
_haldane() {
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
complete -F _haldane haldane`;
}

const zshQuoted = (text: string) =>
  text.replaceAll("'", "'\\''").replaceAll(':', '\\:').replaceAll('[', '(').replaceAll(']', ')');

function zsh(commands: readonly CommandOutline[]): string {
  const cases = commands.map(({ name, options }) => {
    const specs = options.map(({ long, summary }) => `'${long}[${zshQuoted(summary)}]'`);
    return `    ${name}) _arguments ${[...specs, "'*:file:_files'"].join(' ')} ;;`;
  });
  return `#compdef haldane
_haldane() {
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
compdef _haldane haldane`;
}

const fishQuoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function fish(commands: readonly CommandOutline[]): string {
  const lines = commands.flatMap(({ name, summary, options }) => [
    `complete -c haldane -n __fish_use_subcommand -f -a ${name} -d ${fishQuoted(summary)}`,
    ...options.map(
      ({ long, summary: text }) =>
        `complete -c haldane -n '__fish_seen_subcommand_from ${name}' -l ${long.slice(2)} -d ${fishQuoted(text)}`,
    ),
  ]);
  return `# fish completion for haldane\n${lines.join('\n')}`;
}
