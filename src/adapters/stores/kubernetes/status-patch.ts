// The one write of a decision as a JSON patch: it holds only for the record it was decided on, and leaves alone what others
// of Haldane write into the same status. Pure.
import type { JsonPatchOperation } from '../../../kubernetes/index.ts';
import { factsOf, isUnderWay, type PolicyRecord, type PolicyResource, withoutNulls } from './documents.ts';

export function recordOperations(
  resource: PolicyResource,
  before: PolicyRecord | null,
  record: PolicyRecord,
): readonly JsonPatchOperation[] {
  const fields: Record<string, unknown> = { record, ...admissionFields(record.state) };
  if (resource.status === undefined) {
    return [
      { op: 'test', path: '/status', value: null },
      { op: 'add', path: '/status', value: withoutNulls(fields) },
    ];
  }
  const test: JsonPatchOperation =
    before === null
      ? { op: 'test', path: '/status/record', value: null }
      : { op: 'test', path: '/status/record/version', value: before.version };
  return [test, ...Object.entries(fields).flatMap(([field, value]) => fieldOperation(resource, field, value))];
}

/** What the admission policies read: hands off, and how far stable may shrink. */
function admissionFields(state: string): { readonly suspended: boolean; readonly floor: number | null } {
  const facts = factsOf(state);
  return {
    suspended: facts.suspended !== null,
    floor: isUnderWay(facts) ? (facts.release?.baseReplicas ?? null) : null,
  };
}

function fieldOperation({ status }: PolicyResource, field: string, value: unknown): JsonPatchOperation[] {
  const path = `/status/${field}`;
  if (value !== null && value !== undefined) return [{ op: 'add', path, value }];
  return status?.[field] === undefined ? [] : [{ op: 'remove', path }];
}
