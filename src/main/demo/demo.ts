// `haldane demo`: a shop, its users, and three releases, through the real agent and the real gateway. Nothing in it is
// scripted: it declares versions, watches, and compares how they ended with what is true of them.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DemoOptions } from '../../cli/index.ts';
import { type ReleaseReport, reportHtml } from '../../core/views/index.ts';
import { describeError } from '../../lib/errors.ts';
import { type Episode, type EpisodeResult, episodesFor, firstVersion, resultOf } from './episodes.ts';
import { demoReportHtml } from './report.ts';
import { endingLines, jsonShow, plainShow, type Show, screenShow } from './show.ts';
import { type Overrides, Stand } from './stand.ts';
import { type UserCounts, UsersProcess } from './users-process.ts';

const NAME = 'shop';
const FIRST_UP_MS = 30_000;
const RELEASE_MS = 180_000;
/** Users before the first release: stable's past is what "slow" is taken from. */
const SETTLE_MS = 5_000;

interface Pace {
  readonly requestsPerSecond: number;
  readonly overrides: Overrides;
}

const USUAL: Pace = { requestsPerSecond: 600, overrides: [] };
/** More traffic, larger and shorter stages; the checks and their tolerances are the same. */
const FAST: Pace = {
  requestsPerSecond: 1_000,
  overrides: [
    [['stages'], [10, 30, 50].map((weight) => ({ weight, bake: '2s' }))],
    [['leastBake'], '6s'],
  ],
};

const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export async function runDemo(options: DemoOptions): Promise<number> {
  const show = showFor(options);
  const interrupted = new AbortController();
  const onSignal = () => interrupted.abort();
  // Also a second Ctrl-C, a closed terminal and a closed pipe: nothing may come between the demo and its cleaning up.
  for (const name of ENDINGS) process.on(name, onSignal);
  // The program's own answer to a closed pipe is to exit at once, which would leave a shop behind.
  process.stdout.removeAllListeners('error').on('error', onSignal);
  const folder = await mkdtemp(join(tmpdir(), 'haldane-demo-'));
  const running: Running = { stand: null, users: null };
  try {
    const over = runAll({ options, show, folder, running });
    // What is cleaned up below fails what still runs; nobody waits for it any more.
    over.catch(() => {});
    const ended = await Promise.race([over, aborted(interrupted.signal)]);
    if (ended !== null && options.keep) await keep(options, running, interrupted.signal);
    return ended ?? 130;
  } catch (error) {
    show.end();
    process.stderr.write(`${describeError(error)}\n`);
    return 1;
  } finally {
    await cleanUp(show, folder, running);
    for (const name of ENDINGS) process.off(name, onSignal);
  }
}

interface Running {
  stand: Stand | null;
  users: UsersProcess | null;
}

interface Run {
  readonly options: DemoOptions;
  readonly show: Show;
  readonly folder: string;
  readonly running: Running;
}

interface Told {
  readonly result: EpisodeResult;
  readonly report: ReleaseReport;
}

async function runAll({ options, show, folder, running }: Run): Promise<number> {
  const startedAt = performance.now();
  const seed = String(options.seed ?? 1);
  const pace = options.fast ? FAST : USUAL;
  const stand = await Stand.make({ folder, name: NAME, overrides: pace.overrides });
  running.stand = stand;
  await stand.startAgent();
  show.say(`policy: ${stand.places.policy}`);
  await stand.apply(firstVersion(seed));
  await stand.untilEnded('v1', FIRST_UP_MS);
  const users = new UsersProcess({
    program: stand.places.users,
    url: stand.url,
    rate: pace.requestsPerSecond,
    seed,
  });
  running.users = users;
  show.say(`v1 serves at ${stand.url}; users send ${pace.requestsPerSecond} requests per second (seed ${seed})`);
  await sleep(SETTLE_MS);
  const episodes: Told[] = [];
  for (const episode of episodesFor(seed)) episodes.push(await release(episode, stand, users, show));
  const counts = options.keep ? await latest(users) : await users.stop();
  const seconds = (performance.now() - startedAt) / 1_000;
  const reportPath = await writeReports({ seed, episodes, counts, stand });
  return tell({ options, show, episodes, counts, seconds, reportPath });
}

async function release(episode: Episode, stand: Stand, users: UsersProcess, show: Show): Promise<Told> {
  const { label } = episode.version;
  show.say(`releasing ${label}: ${episode.truth}`);
  await stand.apply(episode.version);
  const view = await stand.untilEnded(label, RELEASE_MS, (each) => {
    if (each.release?.to === label) show.view(each, users.counts);
  });
  const report = await stand.report(view.release?.id ?? '');
  const result = resultOf(episode, report, users.counts?.versions[label] ?? null);
  show.result(result);
  return { result, report };
}

async function latest(users: UsersProcess): Promise<UserCounts> {
  while (users.counts === null) await sleep(100);
  return users.counts;
}

interface Reporting {
  readonly seed: string;
  readonly episodes: readonly Told[];
  readonly counts: UserCounts;
  readonly stand: Stand;
}

/** Outside the demo's folder, which is thrown away. */
async function writeReports({ seed, episodes, counts, stand }: Reporting): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'haldane-demo-report-'));
  for (const { report } of episodes) await writeFile(join(folder, `${report.release.id}.html`), reportHtml(report));
  const path = join(folder, 'report.html');
  const policyText = await readFile(stand.policyPath, 'utf8');
  const madeAt = new Date().toISOString();
  const ok = isOk(episodes, counts);
  await writeFile(path, demoReportHtml({ madeAt, seed, ok, episodes, users: counts, policyText }));
  return path;
}

function isOk(episodes: readonly Told[], counts: UserCounts): boolean {
  return counts.lost === 0 && episodes.every(({ result }) => result.asItShould);
}

interface Telling {
  readonly options: DemoOptions;
  readonly show: Show;
  readonly episodes: readonly Told[];
  readonly counts: UserCounts;
  readonly seconds: number;
  readonly reportPath: string;
}

function tell({ options, show, episodes, counts, seconds, reportPath }: Telling): number {
  const ok = isOk(episodes, counts);
  const results = episodes.map(({ result }) => result);
  show.end();
  if (options.json) {
    const summary = { kind: 'summary', ok, seconds: Math.round(seconds), lost: counts.lost, sent: counts.sent };
    process.stdout.write(`${JSON.stringify({ ...summary, reportPath, results })}\n`);
  } else {
    process.stdout.write(`${endingLines({ ok, results, users: counts, seconds, reportPath }).join('\n')}\n`);
  }
  return ok ? 0 : 1;
}

function showFor({ json }: DemoOptions): Show {
  const write = (text: string) => void process.stdout.write(text);
  if (json) return jsonShow(write);
  const isTty = process.stdout.isTTY === true && process.env.TERM !== 'dumb';
  const colour = isTty && process.env.NO_COLOR === undefined;
  const screen = { columns: process.stdout.columns ?? 80, colour, write };
  return isTty ? screenShow(screen) : plainShow(screen);
}

async function keep(options: DemoOptions, { stand, users }: Running, signal: AbortSignal): Promise<void> {
  if (stand === null || signal.aborted) return;
  const program = `${process.execPath} ${stand.places.program}`;
  const lines = [
    '',
    `The shop serves at ${stand.url} and its users go on (process ${users?.pid}). In another terminal:`,
    `  export HALDANE_STATE_DIR=${stand.stateDir}`,
    `  ${program} watch ${NAME}`,
    `  ${program} release ${NAME} --version v5 --env LATENCY_TAIL=1.5`,
    'Ctrl-C here ends everything.',
  ];
  const text = options.json
    ? JSON.stringify({ kind: 'kept', url: stand.url, stateDir: stand.stateDir })
    : lines.join('\n');
  process.stdout.write(`${text}\n`);
  await aborted(signal);
}

function aborted(signal: AbortSignal): Promise<null> {
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }));
}

/** Processes first, then the folder they write to. */
async function cleanUp(show: Show, folder: string, { stand, users }: Running): Promise<void> {
  show.end();
  users?.kill();
  await stand?.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
