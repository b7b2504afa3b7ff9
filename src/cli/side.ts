// Which side a command line means: the agent of this machine, or policies in a cluster. One program has both; `kubectl
// haldane`, HALDANE_KUBE=1 and the options that name a cluster mean the second. Texts that name commands are put into the
// words of the side, so that what is printed can be typed.
import { basename } from 'node:path';

export type Side = 'agent' | 'kubernetes';

/** Everything that says which cluster and which namespace; kubectl's own words. */
export const CLUSTER_OPTIONS = ['-n', '--namespace', '-A', '--all-namespaces', '--context', '--kubeconfig'];
const WITH_VALUE = ['-n', '--namespace', '--context', '--kubeconfig', '--state-dir'];
const WITHOUT_VALUE = ['-A', '--all-namespaces', '--json', '--plain'];
const PLUGIN = /^kubectl[-_](?:complete[-_])?haldane(?:\.[jt]s)?$/;
/** These have options of such names for themselves, or are of one side alone. */
const OWN_OPTIONS = ['operator', 'gateway'];
const CLUSTER_COMMANDS = ['adopt'];

/** How many words before the command are options of every command. */
export function optionsBefore(args: readonly string[]): number {
  let at = 0;
  while (at < args.length) {
    const arg = args[at] ?? '';
    if (WITH_VALUE.includes(arg)) at += 2;
    else if (WITHOUT_VALUE.includes(arg) || isJoined(arg)) at += 1;
    else break;
  }
  return at;
}

/** Options of every command may stand before it, as with kubectl: they go behind it. */
export function commandFirst(args: readonly string[]): readonly string[] {
  const at = optionsBefore(args);
  const [command, ...rest] = args.slice(at);
  if (command === undefined) return [];
  // "help" takes the name of a command, and nothing else.
  if (command === 'help' || command.startsWith('-')) return [command, ...rest];
  return [command, ...args.slice(0, at), ...rest];
}

/** "--context=x", "-nx" */
function isJoined(arg: string): boolean {
  return /^-n[^-]/.test(arg) || WITH_VALUE.some((option) => option.startsWith('--') && arg.startsWith(`${option}=`));
}

/** By how the program was called. */
export function sideOfProgram(path: string, env: Readonly<Record<string, string | undefined>>): Side {
  const { HALDANE_KUBE } = env;
  const isAsked = HALDANE_KUBE !== undefined && HALDANE_KUBE !== '' && HALDANE_KUBE !== '0';
  return isAsked || PLUGIN.test(basename(path)) ? 'kubernetes' : 'agent';
}

/** By what is asked of it. */
export function sideOf(args: readonly string[], side: Side): Side {
  const [command = ''] = args;
  if (OWN_OPTIONS.includes(command)) return side;
  if (CLUSTER_COMMANDS.includes(command)) return 'kubernetes';
  const end = args.indexOf('--');
  const given = end === -1 ? args : args.slice(0, end);
  return given.some(namesCluster) ? 'kubernetes' : side;
}

function namesCluster(arg: string): boolean {
  return CLUSTER_OPTIONS.some((option) =>
    option.startsWith('--') ? arg === option || arg.startsWith(`${option}=`) : arg === option,
  );
}

const COMMANDS =
  'status|watch|promote|abort|pause|resume|advance|approve|retry|rollback|suspend|unsuspend|history|report|lint|plan|judge|explain|adopt|doctor|operator|completion|version|help|--help';

/** What has another name in a cluster. A line may have been wrapped between "kubectl" and what follows. */
const INSTEAD: readonly (readonly [RegExp, string])[] = [
  [/needs no agent/g, 'asks no cluster'],
  [/, no agent, /g, ', no cluster, '],
  [/Needs no agent; asks one if it runs/g, 'Asks the cluster if there is one'],
  [/(?:what|as) the running agent sees/g, 'what the operator saw last'],
  [/the traffic of the running agent/g, 'the traffic that the operator saw last'],
  [/as the agent's gateway saw it just now/g, 'as the operator saw it last'],
  [/no agent says how much traffic there is/g, 'no release says how much traffic there is'],
  [/the gateway of the agent sees no traffic now/g, 'the operator has counted no traffic yet'],
  // A column that follows in the same line stays where it is.
  [/-f haldane\.yaml\b([^\n]*? {2})/g, '-f policy.yaml$1 '],
  [/-f haldane\.yaml\b/g, '-f policy.yaml'],
  [/\bhaldane apply -f /g, 'kubectl apply -f '],
  [/\bhaldane withdraw (?=\S)/g, 'kubectl delete releasepolicy '],
  [/\bhaldane release (\S+) --version (\S+)/g, 'kubectl set image deployment/$1 "*=$1:$2"'],
  [new RegExp(`(?<![\\w/.-])(?<!kubectl\\s+)haldane (?=(?:${COMMANDS})\\b|<command>)`, 'g'), 'kubectl haldane '],
];

/** Text that names commands, in the words of a side. */
export function inWordsOf(side: Side, text: string): string {
  if (side === 'agent') return text;
  return INSTEAD.reduce((words, [pattern, instead]) => words.replace(pattern, instead), text);
}

/** Who is meant by "it does not answer". */
export function whoAnswers(side: Side): string {
  return side === 'agent' ? 'the agent' : 'the API server';
}
