import { loadContract, type Contract } from '../../contract/contract.ts'
import { createSchemaValidator } from '../../contract/json-schema/draft.ts'
import { subschemas } from '../../contract/json-schema/json-schema.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import { withoutBom } from './json-input.ts'
import type { RegisteredSchema } from '../../registry/registry.ts'

/** The formats that are asserted; they are the same in every draft. */
let known: Readonly<Record<string, unknown>> | undefined

/**
 * Returns the contract of a registered JSON Schema and of the registered schemas that it refers to by name. Unlike a
 * contract file, it may have formats that JSON Schema does not define, such as `decimal` and `guid`: generators write
 * them, and users cannot change what producers register. They are ignored, as the specification asks.
 * @throws KD_CONTRACT_INVALID with every fault: not a JSON Schema, unresolved references, types that no column can
 * hold
 */
export function contractOfRegisteredJson(
  { type, text, references }: RegisteredSchema,
  source: string,
): Contract {
  if (type !== 'JSON') throw faultOf(`expected a JSON Schema, got type ${type}`, source)
  const documents = new Map(references.map((one) => [one.name, parsed(one.text, source, `${one.name}: `)]))
  return loadContract(parsed(text, source), { source, documents })
}

function parsed(text: string, source: string, prefix = ''): unknown {
  try {
    return withoutUnknownFormats(JSON.parse(withoutBom(text)) as unknown)
  } catch (error) {
    throw faultOf(prefix + messageOf(error), source)
  }
}

/** Removes unknown formats from a schema that was just parsed. */
function withoutUnknownFormats(schema: unknown): unknown {
  known ??= createSchemaValidator('2020-12').formats
  for (const { schema: part } of subschemas(schema)) {
    const { format } = part
    if (typeof format === 'string' && !Object.hasOwn(known, format)) Reflect.deleteProperty(part, 'format')
  }
  return schema
}

function faultOf(detail: string, source: string): PipelineError {
  return new PipelineError('KD_CONTRACT_INVALID', detail, { source })
}
