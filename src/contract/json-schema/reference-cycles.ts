import { childSchemas, isJsonObject, extendPointer } from './json-schema.ts'
import type { JsonSchemaFault, JsonSchema } from './json-schema.ts'
import type { SchemaReferences } from './references.ts'

const REFERENCES = ['$ref', '$dynamicRef', '$recursiveRef']

/** Keywords whose subschemas apply to the same value as the schema itself. */
const IN_PLACE = new Set('allOf anyOf oneOf not if then else dependentSchemas dependencies'.split(' '))
const DEFINITIONS = new Set(['$defs', 'definitions'])

/**
 * Returns the references that lead back to their own schema without a step into the value, such as two definitions that
 * are only a reference to each other. No value can be checked against such a schema. Only schemas that the contract uses
 * are searched.
 */
export function findReferenceCycles(references: SchemaReferences): readonly JsonSchemaFault[] {
  const [root] = references.documents
  const faults: JsonSchemaFault[] = []
  const states = new Map<unknown, 'open' | 'done'>()
  const next: Edge[] = root === undefined ? [] : [{ schema: root.schema, at: '', from: '', name: '' }]
  const visit = ({ schema, at, from, name }: Edge): void => {
    if (!isJsonObject(schema)) return
    const state = states.get(schema)
    if (state === 'open')
      faults.push({
        at: from,
        message: `${name} refers to itself, directly or through other references, and describes no value`,
      })
    if (state !== undefined) return
    states.set(schema, 'open')
    for (const edge of edgesOf(schema, at, references)) {
      if (edge.isInPlace) visit(edge)
      else next.push(edge)
    }
    states.set(schema, 'done')
  }
  for (let edge = next.pop(); edge !== undefined; edge = next.pop()) visit(edge)
  return faults
}

interface Edge {
  readonly schema: unknown
  readonly at: string
  /** JSON pointer of the keyword that leads here. */
  readonly from: string
  /** The reference, or the keyword. */
  readonly name: string
}

function* edgesOf(
  schema: JsonSchema,
  at: string,
  references: SchemaReferences,
): Generator<Edge & { readonly isInPlace: boolean }> {
  for (const keyword of REFERENCES) {
    const reference = schema[keyword]
    const target = typeof reference === 'string' ? references.resolve(schema, reference) : undefined
    if (target !== undefined)
      yield { ...target, from: extendPointer(at, keyword), name: String(reference), isInPlace: true }
  }
  for (const { schema: child, steps } of childSchemas(schema)) {
    const [keyword = ''] = steps
    // A definition counts only where something refers to it.
    if (DEFINITIONS.has(keyword)) continue
    const inner = extendPointer(at, ...steps)
    yield { schema: child, at: inner, from: inner, name: keyword, isInPlace: IN_PLACE.has(keyword) }
  }
}
