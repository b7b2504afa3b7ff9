// One version that somebody else runs: its addresses, each asked again and again whether it answers.
// One yes is enough for yes; "no" is believed after so many in a row.
import type { Endpoint } from '../../../core/model/gateway.ts';
import type { VersionObservation } from '../../../core/model/observed.ts';
import type { Probe } from '../../../core/model/policy.ts';
import { elapsedMs, type Instant } from '../../../core/model/time.ts';
import type { Version } from '../../../core/model/version.ts';
import { askProbe } from '../../../lib/http-probe.ts';
import type { Clock } from '../../../ports/clock.ts';

/** Where the policy has no probe: an accepted connection is a yes. */
const PORT_INTERVAL_MS = 2_000;
const PORT_FAILURES = 3;
/** Until the first yes it is asked more often than the probe says. */
const FIRST_INTERVAL_MS = 250;
/** For so long without a yes it is not called trouble. */
const STARTING_MS = 10_000;

interface Place {
  readonly endpoint: Endpoint;
  readonly knownSince: Instant;
  readySince: Instant | null;
  noes: number;
  lastNo: string | null;
  asked: boolean;
}

export interface UpstreamOptions {
  readonly clock: Clock;
  probe(): Probe | null;
  changed(): void;
}

export class UpstreamVersion {
  readonly #options: UpstreamOptions;
  readonly #closing = new AbortController();
  #places: readonly Place[] = [];
  version: Version;
  wanted: number;

  constructor(options: UpstreamOptions, version: Version, wanted: number) {
    this.#options = options;
    this.version = version;
    this.wanted = wanted;
    const endpoints = version.template.kind === 'upstreams' ? version.template.endpoints : [];
    this.#places = endpoints.map((endpoint) => this.#watch(endpoint));
  }

  close(): void {
    this.#closing.abort();
  }

  /** Resolves when every address was asked once. */
  async firstLook(): Promise<void> {
    await Promise.all(this.#places.filter(({ asked }) => !asked).map((place) => this.#ask(place)));
  }

  observe(): VersionObservation {
    const now = this.#options.clock.now();
    const ready = this.#places.filter(({ readySince }) => readySince !== null);
    const ages = ready.map(({ readySince }) => (readySince === null ? 0 : elapsedMs(readySince, now)));
    return {
      revision: this.version.revision,
      label: this.version.label,
      wanted: this.wanted,
      running: this.#places.length,
      ready: ready.length,
      endpoints: ready.map(({ endpoint }) => endpoint),
      readyForMs: ages.length === 0 ? 0 : Math.min(...ages),
      restarts: 0,
      trouble: this.#trouble(now),
    };
  }

  #trouble(now: Instant): string | null {
    if (this.version.template.kind !== 'upstreams') return 'the version has no addresses: it is not one of upstreams';
    const troubles = this.#places
      .filter(({ readySince, knownSince }) => readySince === null && elapsedMs(knownSince, now) >= STARTING_MS)
      .filter(({ lastNo }) => lastNo !== null)
      .map(({ endpoint, lastNo }) => `${endpoint.host}:${endpoint.port}: ${lastNo}`);
    return troubles.length === 0 ? null : troubles.join('; ');
  }

  #watch(endpoint: Endpoint): Place {
    const place: Place = {
      endpoint,
      knownSince: this.#options.clock.now(),
      readySince: null,
      noes: 0,
      lastNo: null,
      asked: false,
    };
    void this.#askForEver(place);
    return place;
  }

  async #askForEver(place: Place): Promise<void> {
    const { clock } = this.#options;
    while (!this.#closing.signal.aborted) {
      await this.#ask(place);
      const intervalMs = this.#options.probe()?.intervalMs ?? PORT_INTERVAL_MS;
      const waitMs = place.readySince === null ? Math.min(intervalMs, FIRST_INTERVAL_MS) : intervalMs;
      await clock.sleep(waitMs, this.#closing.signal);
    }
  }

  async #ask(place: Place): Promise<void> {
    const probe = this.#options.probe();
    const answer = await askProbe(place.endpoint, probe);
    if (this.#closing.signal.aborted || answer.yes === null) return;
    const wasReady = place.readySince !== null;
    place.asked = true;
    place.noes = answer.yes ? 0 : place.noes + 1;
    place.lastNo = answer.yes ? null : answer.message;
    if (answer.yes && !wasReady) place.readySince = this.#options.clock.now();
    if (place.noes >= (probe?.failures ?? PORT_FAILURES)) place.readySince = null;
    if (wasReady !== (place.readySince !== null)) this.#options.changed();
  }
}
