// The screen of `haldane watch`: the alternate screen of a terminal, at most five redraws a second, only lines that
// changed; keys to act. The safe direction is cheap: abort is one key and one confirm that names the consequence, as an approval is. On
// the way out the last state is left in the scrollback.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Verb } from '../core/model/command.ts';
import {
  canLines,
  type Line,
  percentText,
  type ReleaseView,
  toAnsi,
  toPlain,
  watchLines,
  wrap,
} from '../core/views/index.ts';
import type { Client, ObjectNode } from './client.ts';
import { type Context, wantsColour } from './context.ts';
import { errorText } from './errors.ts';
import { Following } from './following.ts';
import { treeLines, withTree } from './object-tree.ts';
import { whoAnswers } from './side.ts';
import { steadyViews } from './steady-views.ts';

const ESCAPE = '\u001b[';
const ENTER = `${ESCAPE}?1049h${ESCAPE}?25l${ESCAPE}2J`;
const LEAVE = `${ESCAPE}?25h${ESCAPE}?1049l`;
const REDRAW_MS = 200;
const MOST_LOG_ROWS = 12;
const MESSAGE_ROWS = 3;

export interface ScreenOptions {
  readonly connect: () => Client | Promise<Client>;
  readonly first: ReleaseView;
  readonly exitStatus: boolean;
}

type Mode = 'screen' | 'help' | 'confirm';
/** What is confirmed first: it moves users, or it is a yes with a name on it. */
type Asked = 'abort' | 'approve';

/** What is drawn, and what was: only the difference is written. */
export class Painter {
  #drawn: string[] = [];

  /** The escape codes that turn what is on the screen into these lines. */
  paint(lines: readonly string[], rows: number): string {
    const shown = lines.slice(0, rows);
    let out = '';
    for (let row = 0; row < Math.max(shown.length, this.#drawn.length); row++) {
      const text = shown[row] ?? '';
      if (this.#drawn[row] !== text) out += `${ESCAPE}${row + 1};1H${ESCAPE}2K${text}`;
    }
    this.#drawn = [...shown];
    return out;
  }

  /** After a resize nothing on the screen can be trusted. */
  forget(): void {
    this.#drawn = [];
  }
}

export class Screen {
  readonly #context: Context;
  readonly #connect: () => Client | Promise<Client>;
  readonly #write: (text: string) => void;
  readonly #painter = new Painter();
  readonly #colour: boolean;
  #view: ReleaseView;
  #objects: readonly ObjectNode[] = [];
  #mode: Mode = 'screen';
  #asked: Asked = 'abort';
  #details = false;
  #message = '';
  #timer: NodeJS.Timeout | null = null;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  /** Called when the reader wants to leave. */
  onLeave: () => void = () => {};

  constructor(
    context: Context,
    { connect, first: view }: Pick<ScreenOptions, 'connect' | 'first'>,
    write: (text: string) => void,
  ) {
    this.#context = context;
    this.#connect = connect;
    this.#view = view;
    this.#write = write;
    this.#colour = wantsColour(context, {});
  }

  show(view: ReleaseView): void {
    this.#view = view;
    this.#soon();
  }

  /** What there is in the cluster, under the sentence. */
  showObjects(objects: readonly ObjectNode[]): void {
    this.#objects = objects;
    this.#soon();
  }

  resized(): void {
    this.#painter.forget();
    this.#write(`${ESCAPE}2J`);
    this.draw();
  }

  /** A line below everything, until the next one. */
  note(message: string): void {
    this.#message = message;
    this.#soon();
  }

  /** One key as the terminal sends it. */
  async key(key: string): Promise<void> {
    if (key === '\u0003' || key === 'q') return this.onLeave();
    if (this.#mode === 'confirm') {
      this.#mode = 'screen';
      if (key === 'y') await this.#act(this.#asked);
      else this.#message = this.#asked === 'abort' ? 'not aborted' : 'not approved';
    } else if (key === '?') this.#mode = this.#mode === 'help' ? 'screen' : 'help';
    else if (this.#mode === 'help') this.#mode = 'screen';
    else if (key === 'e') this.#details = !this.#details;
    else if (key === 'n') await this.#act('advance');
    else if (key === 'p') await this.#act(this.#view.state === 'paused' ? 'resume' : 'pause');
    else if (key === 'a') this.#ask('abort');
    else if (key === 'g') this.#ask('approve');
    this.#soon();
  }

  /** The last state, for the scrollback. */
  last(): string {
    return this.#lines({ keys: false, details: this.#details })
      .map((line) => this.#text(line))
      .join('\n');
  }

  draw(): void {
    this.#drawnAtMs = performance.now();
    const { rows } = this.#context.terminal();
    this.#write(this.#painter.paint(this.#content(), rows));
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #soon(): void {
    if (this.#timer !== null) return;
    const waitMs = Math.max(0, REDRAW_MS - (performance.now() - this.#drawnAtMs));
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.draw();
    }, waitMs);
  }

  #content(): string[] {
    if (this.#mode === 'help') return this.#help();
    const lines = this.#lines({ keys: true, details: this.#details }).map((line) => this.#text(line));
    const below = this.#mode === 'confirm' ? this.#confirmText() : this.#message;
    return below === '' ? lines : [...lines, '', ...wrap(below, this.#columns())];
  }

  #lines(options: { keys: boolean; details: boolean }): readonly Line[] {
    const { columns, rows } = this.#context.terminal();
    const { offsetMinutes } = this.#context;
    // The log gives way first: what the keys do must stay on the screen.
    for (let logRows = MOST_LOG_ROWS; ; logRows--) {
      const lines = watchLines(this.#view, { columns, offsetMinutes, logRows, ...options });
      const tree = treeLines(this.#objects, { columns, mostPods: Math.max(1, logRows) });
      const treeRows = tree.length === 0 ? 0 : tree.length + 1;
      if (!options.keys || lines.length + treeRows + MESSAGE_ROWS <= rows) return withTree(lines, tree);
      if (logRows <= 1) return lines;
    }
  }

  /** What is wider than the screen would run into the next line and stay there when this one is gone. */
  #columns(): number {
    return Math.max(20, this.#context.terminal().columns);
  }

  #text(line: Line): string {
    return this.#colour ? toAnsi(line) : toPlain(line);
  }

  #help(): string[] {
    return [
      ...wrap(
        'keys: n advance · p pause or resume · a abort (asks) · g approve (asks) · e every check · q leave',
        this.#columns(),
      ),
      '',
      'what each command would do now:',
      ...canLines(this.#view, this.#columns() - 2).map((line) => `  ${line}`),
      '',
      ...this.#view.can.filter((can) => can.allowed).map((can) => `  ${can.command}`),
      '',
      'any key goes back',
    ];
  }

  #ask(verb: Asked): void {
    const can = this.#view.can.find((each) => each.verb === verb);
    if (can?.allowed !== true) {
      this.#message = `${verb} is refused: ${can?.whyNot ?? 'no release is under way'}`;
      return;
    }
    this.#asked = verb;
    this.#mode = 'confirm';
  }

  #confirmText(): string {
    const { release, can } = this.#view;
    const consequence = can.find((each) => each.verb === this.#asked)?.consequence ?? '';
    const to = release?.to ?? '';
    if (this.#asked === 'approve') {
      const at = release === null ? '' : ` at ${percentText(release.weightPercent)} %`;
      return `Approve ${to}${at}: ${consequence}. y approves, any other key goes back.`;
    }
    const after = release?.from == null ? '' : ` ${release.from} gets 100 % of the traffic.`;
    return `Abort ${to}: ${consequence}.${after} y aborts, any other key goes back.`;
  }

  async #act(verb: Verb): Promise<void> {
    const can = this.#view.can.find((each) => each.verb === verb);
    if (can !== undefined && !can.allowed) {
      this.#message = `${verb} is refused: ${can.whyNot}`;
      return;
    }
    try {
      const release = this.#view.release?.id ?? null;
      const request = { verb, release, reason: verb === 'abort' || verb === 'pause' ? 'from haldane watch' : null };
      const client = await this.#connect();
      const answer = await client.command(this.#view.policy.name, request);
      this.#message = `${verb}: ${answer.message}`;
    } catch (error) {
      this.#message = errorText(error).split('\n')[0] ?? '';
    }
  }
}

export async function runScreen(context: Context, options: ScreenOptions): Promise<void> {
  const write = (text: string) => void process.stdout.write(text);
  const screen = new Screen(context, options, write);
  const leaving = new AbortController();
  screen.onLeave = () => leaving.abort();
  const onKey = (chunk: Buffer) => {
    for (const key of chunk.toString('utf8')) void screen.key(key);
  };
  const onResize = () => screen.resized();
  const onSignal = () => leaving.abort();
  write(ENTER);
  if (process.stdin.isTTY) process.stdin.setRawMode(true).resume().on('data', onKey);
  process.stdout.on('resize', onResize);
  process.once('SIGTERM', onSignal);
  try {
    screen.draw();
    const looking = lookAtObjects(screen, options, leaving.signal);
    await follow(context, screen, options, leaving.signal);
    leaving.abort();
    await looking;
  } finally {
    screen.close();
    process.stdout.off('resize', onResize);
    process.off('SIGTERM', onSignal);
    if (process.stdin.isTTY) process.stdin.setRawMode(false).pause().off('data', onKey);
    write(LEAVE);
    context.print(screen.last());
  }
}

const PATIENCE_MS = 600_000;
const OBJECTS_EVERY_MS = 2_000;

/** Pods come and go between two decisions. What cannot be read now is read with the next look. */
async function lookAtObjects(screen: Screen, { connect, first }: ScreenOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      screen.showObjects(await (await connect()).objects(first.policy.name));
    } catch {
      // The views say who is away.
    }
    await sleep(OBJECTS_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}

async function follow(context: Context, screen: Screen, options: ScreenOptions, signal: AbortSignal): Promise<void> {
  const { first, exitStatus, connect } = options;
  const who = whoAnswers(context.side);
  const following = new Following(first, exitStatus);
  const views = steadyViews({
    policy: first.policy.name,
    connect,
    signal,
    patienceMs: PATIENCE_MS,
    onAway: () => screen.note(`${who} is away; users are served on; what is shown above is old`),
    onBack: () => screen.note(`${who} is back`),
  });
  for await (const { view, client } of views) {
    screen.show(view);
    const end = await following.endOf(client, view);
    if (end === null) continue;
    context.exit(end.code);
    return;
  }
}
