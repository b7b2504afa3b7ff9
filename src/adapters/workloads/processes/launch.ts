// Starts one process: no shell, a session of its own, output straight into files, so that it outlives the agent.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, statSync } from 'node:fs';
import type { Endpoint } from '../../../core/model/gateway.ts';
import type { ProcessTemplate, Version } from '../../../core/model/version.ts';
import { identify, type ProcessIdentity } from '../../../lib/proc.ts';
import { type LogFiles, openLog } from './logs.ts';
import { MARKER } from './marker.ts';

/** Taken over from the agent's environment; everything else comes from the version, so that it is the same everywhere. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR'];

export interface LaunchRequest {
  readonly version: Version;
  readonly template: ProcessTemplate;
  readonly endpoint: Endpoint;
  readonly mark: string;
  readonly logs: LogFiles;
}

export type Launched =
  | { readonly kind: 'started'; readonly identity: ProcessIdentity; readonly child: ChildProcess }
  | { readonly kind: 'failed'; readonly message: string };

export async function launch(request: LaunchRequest): Promise<Launched> {
  const [program, ...programArguments] = request.template.command;
  if (program === undefined) return { kind: 'failed', message: 'the command is empty' };
  const folder = request.template.workingDirectory;
  if (folder !== null && !isFolder(folder)) return { kind: 'failed', message: `there is no folder ${folder}` };
  const output = openLog(request.logs.output);
  const errors = openLog(request.logs.errors);
  try {
    const child = spawn(program, programArguments, {
      cwd: folder ?? undefined,
      env: environment(request),
      detached: true,
      shell: false,
      stdio: ['ignore', output, errors],
    });
    const identity = identifyOrEnd(child);
    if (identity === null) return { kind: 'failed', message: await startError(child, program) };
    child.on('error', () => {});
    child.unref();
    return { kind: 'started', identity, child };
  } finally {
    closeSync(output);
    closeSync(errors);
  }
}

/** A process that cannot be registered must not run on. */
function identifyOrEnd(child: ChildProcess): ProcessIdentity | null {
  try {
    return child.pid === undefined ? null : identify(child.pid);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

function environment(request: LaunchRequest): NodeJS.ProcessEnv {
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(inherited),
    ...request.template.env,
    HOST: request.endpoint.host,
    PORT: String(request.endpoint.port),
    HALDANE_VERSION: request.version.label,
    HALDANE_REVISION: request.version.revision,
    [MARKER]: request.mark,
  };
}

function startError(child: ChildProcess, program: string): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve(`there is no program "${program}" on the PATH`);
      else if (error.code === 'EACCES') resolve(`"${program}" may not be executed`);
      else resolve(`"${program}" could not be started: ${error.code ?? error.message}`);
    });
  });
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
