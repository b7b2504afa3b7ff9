// Errors of the controller, each with its code.
import { HaldaneError } from '../lib/errors.ts';

/** A port did not answer in time. What it was asked may still happen later: the next look finds out. */
export class PortTimedOut extends HaldaneError {
  constructor(what: string, limitMs: number) {
    super(`${what} did not answer within ${limitMs / 1_000} s`, { code: 'port-timed-out', retry: 'later' });
  }
}

/** A stored document is of a later schema than this program knows, or is no such document at all. */
export class DocumentUnreadable extends HaldaneError {
  constructor(what: string, why: string, cause?: unknown) {
    super(`${what} cannot be read: ${why}`, {
      code: 'document-unreadable',
      cause,
      fix: 'run the version of Haldane that wrote it, or a newer one',
    });
  }
}

/** Another writer recorded first, several times in a row. */
export class RecordContended extends HaldaneError {
  constructor(policy: string, tries: number) {
    super(`the state of ${policy} was changed by another writer ${tries} times in a row`, {
      code: 'record-contended',
      retry: 'later',
    });
  }
}

/** Two policies ask for the same place; the one that has it keeps it (row 63). */
export class PlaceTaken extends HaldaneError {
  constructor(policy: string, place: string, holder: string) {
    super(`policy "${policy}" asks for ${place}, which policy "${holder}" already has`, {
      code: 'place-taken',
      path: place.startsWith('deployment ') ? 'spec.workload.deployment.name' : 'spec.router.gateway.listen',
      fix: place.startsWith('deployment ')
        ? `remove one of the two policies`
        : `give "${policy}" another listen address`,
    });
  }
}
