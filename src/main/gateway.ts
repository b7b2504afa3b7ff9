// The gateway's own program: `node src/main/gateway.ts --state-dir DIR [--metrics HOST:PORT]`. Started by the agent,
// meant to outlive it.
import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Endpoint } from '../core/model/gateway.ts';
import { GatewayProcess } from '../gateway/gateway-process.ts';
import { describeError, HaldaneError } from '../lib/errors.ts';

class UsageError extends HaldaneError {
  constructor(message: string) {
    super(message, { code: 'usage', fix: 'node src/main/gateway.ts --state-dir DIR [--metrics HOST:PORT]' });
  }
}

/** "127.0.0.1:9100" or "[::1]:9100". */
function endpointOf(text: string): Endpoint {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text);
  if (found === null) throw new UsageError(`--metrics ${text} is not HOST:PORT`);
  return { host: (found[1] ?? found[2]) as string, port: Number(found[3]) };
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function log(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}

/** Runs until it is told to go; `args` are those after the program's name. */
export async function runGateway(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { 'state-dir': { type: 'string' }, metrics: { type: 'string' } },
  });
  const stateDir = values['state-dir'];
  if (stateDir === undefined) throw new UsageError('--state-dir is needed');
  const gateway = new GatewayProcess({
    stateDir,
    version: version(),
    metrics: values.metrics === undefined ? null : endpointOf(values.metrics),
    random: Math.random,
    exit: (code) => process.exit(code),
    log,
  });
  await gateway.start();
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  runGateway(process.argv.slice(2)).catch((error: unknown) => {
    log(describeError(error));
    process.exit(1);
  });
}
