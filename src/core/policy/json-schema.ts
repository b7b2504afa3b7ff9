/**
 * The JSON Schema (draft 2020-12) of what people write, for editors and for tools in other languages.
 * It holds what a JSON Schema can say: rules between fields stay with the compiler.
 */
import * as z from 'zod';
import { fieldMetas, type Json, leafMetas, objectMetas } from './fields.ts';
import { policySchema } from './schema.ts';

function objectKeywords(schema: z.ZodType): Record<string, Json> {
  const { oneKey = false, atMostOne = [] } = objectMetas.get(schema) ?? {};
  const pairs = atMostOne.flatMap((one, index) =>
    atMostOne.slice(index + 1).map((other) => ({ required: [one, other] })),
  );
  return {
    ...(oneKey ? { minProperties: 1, maxProperties: 1 } : {}),
    ...(pairs.length > 0 ? { not: { anyOf: pairs } } : {}),
  };
}

export function policyJsonSchema(): Record<string, Json> {
  const schema = z.toJSONSchema(policySchema, {
    target: 'draft-2020-12',
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      const own = zodSchema as unknown as z.ZodType;
      const leaf = leafMetas.get(own);
      if (leaf?.pattern !== undefined && jsonSchema.type === 'string') jsonSchema.pattern = leaf.pattern.source;
      Object.assign(jsonSchema, leaf?.json ?? {}, objectKeywords(own));
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
