// What every command may ask, whoever answers: the agent of this machine, or custom resources in a cluster. A command that
// needs more than this is one for the agent alone.
import type { CommandAnswer, Verb } from '../core/model/command.ts';
import type { Diagnosis, Finding, ReleaseLine, ReleaseView } from '../core/views/index.ts';

export type ReportFormat = 'html' | 'md' | 'json';

export interface JournalQuery {
  /** All of a policy, or of one release. */
  readonly policy?: string;
  readonly release?: string;
  readonly after: number;
  readonly limit: number;
}

export interface JournalLine {
  readonly sequence: number;
  readonly wallTime: string;
  readonly release: string | null;
  readonly kind: string;
  readonly sentence: string;
  readonly hash: string;
}

export interface Verified {
  readonly intact: boolean;
  readonly entries?: number;
  readonly message?: string;
}

export interface CommandRequest {
  readonly verb: Verb;
  readonly reason: string | null;
  readonly skipAnalysis?: boolean;
  readonly gate?: string | null;
  readonly revision?: string | null;
  readonly release: string | null;
}

/** `accepted` is null where it is recorded and not answered yet; what is refused is thrown. */
export interface Answered extends Omit<CommandAnswer, 'accepted'> {
  readonly accepted: boolean | null;
}

export interface Health {
  /** Who answers, in a line. */
  readonly line: string;
  readonly notes: readonly string[];
  /** Of what no policy has to itself. */
  readonly findings: readonly Finding[];
  /** Whether it knows policies at all. */
  readonly hasPolicies: boolean;
  /** For --json. */
  readonly details: object;
}

/** An object of the cluster that a policy works with, and those that belong to it. */
export interface ObjectNode {
  readonly kind: string;
  readonly name: string;
  /** Of which version; null where it has none. */
  readonly version: string | null;
  readonly role: 'stable' | 'canary' | 'other';
  readonly state: 'ok' | 'pending' | 'trouble';
  readonly text: string;
  readonly children: readonly ObjectNode[];
}

/** What is said where there is no policy. */
export interface NoneYet {
  readonly problem: string;
  readonly fix: string;
}

export interface Client {
  readonly noneYet: NoneYet;
  policies(): Promise<readonly ReleaseView[]>;
  /** null: there is none of that name. */
  policy(name: string): Promise<ReleaseView | null>;
  /** Views of one policy as they come; ends when who is asked or the signal ends it. */
  views(policy: string, signal?: AbortSignal): AsyncGenerator<ReleaseView>;
  releases(policy: string): Promise<readonly ReleaseLine[]>;
  release(id: string): Promise<ReleaseLine>;
  report(id: string, format: ReportFormat): Promise<string>;
  journal(query: JournalQuery): Promise<readonly JournalLine[]>;
  verifyJournal(): Promise<Verified>;
  command(policy: string, request: CommandRequest): Promise<Answered>;
  doctor(policy: string): Promise<Diagnosis>;
  health(): Promise<Health>;
  /** Empty where there are no objects but processes. */
  objects(policy: string): Promise<readonly ObjectNode[]>;
}
