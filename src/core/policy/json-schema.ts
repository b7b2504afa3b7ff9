/**
 * The JSON Schema (draft 2020-12) of what people write, for editors and for tools in other languages.
 * It holds what a JSON Schema can say: rules between fields stay with the compiler.
 */
import * as z from 'zod';
import { fieldMetas, type Json, leafMetas, objectMetas } from './fields.ts';
import { policySchema } from './schema.ts';

export function policyJsonSchema(): Record<string, Json> {
  const schema = z.toJSONSchema(policySchema, {
    target: 'draft-2020-12',
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      const own = zodSchema as unknown as z.ZodType;
      const leaf = leafMetas.get(own);
      if (leaf?.pattern !== undefined && jsonSchema.type === 'string') jsonSchema.pattern = leaf.pattern.source;
      if (objectMetas.get(own)?.oneKey === true) {
        jsonSchema.minProperties = 1;
        jsonSchema.maxProperties = 1;
      }
      const field = fieldMetas.get(own);
      if (field === undefined) return;
      jsonSchema.description =
        field.absent === undefined ? field.description : `${field.description} Left out: ${field.absent}.`;
      jsonSchema.examples = [field.example];
    },
  });
  const { $schema, ...rest } = schema as unknown as Record<string, Json>;
  return {
    $schema: $schema ?? null,
    title: 'ReleasePolicy',
    description: 'How versions of one workload are released.',
    ...rest,
  };
}
