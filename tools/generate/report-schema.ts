/** schemas/report.generated.json: the shape of report.json, from the schema that real reports are tested against. */
import { reportJsonSchema } from '../../src/server/report-schema.ts';
import type { GeneratedFile } from '../generate.ts';

export async function generate(): Promise<readonly GeneratedFile[]> {
  return [{ path: 'schemas/report.generated.json', text: JSON.stringify(reportJsonSchema(), null, 2) }];
}
