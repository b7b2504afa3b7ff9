// A command given as one line, by the same rules as in a policy: quotes work, no shell runs.
import { parseCommand } from '../core/policy/command-line.ts';
import { ApiProblem } from './problems.ts';

export function parseCommandText(command: string | readonly string[]): readonly string[] {
  const parsed = parseCommand(command);
  if (parsed.ok) return parsed.value;
  throw new ApiProblem(422, parsed.problem, { code: 'version-refused', path: 'command', fix: parsed.fix });
}
