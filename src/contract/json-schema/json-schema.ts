/** One JSON Schema object. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** What a JSON value can be, as the keyword `type` names it. */
export type JsonKind = 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array'

/** Something that makes a contract unusable: where (JSON pointer into the contract) and what. */
export interface Fault {
  readonly at: string
  readonly message: string
}

/** Whether `value` is a JSON object, as opposed to an array, null or a scalar. */
export function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `pointer` one step deeper, escaped as JSON Pointer (RFC 6901) asks. */
export function pointerTo(pointer: string, ...steps: readonly string[]): string {
  return steps.reduce((at, step) => `${at}/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`, pointer)
}

/** What a JSON pointer in the fragment of a reference points to, or `undefined` where it points at nothing. */
export function resolvePointer(root: JsonSchema, pointer: string): unknown {
  let found: unknown = root
  for (const step of pointer.split('/').slice(1)) {
    const name = decodeStep(step)
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined
    found = (found as Record<string, unknown>)[name]
  }
  return found
}

function decodeStep(step: string): string {
  const text = step.replaceAll('~1', '/').replaceAll('~0', '~')
  // A reference is a URI fragment; one with a stray `%` is taken literally rather than refused with a bare URIError.
  return /%(?![0-9a-f]{2})/i.test(text) ? text : decodeURIComponent(text)
}

/** The keywords below which schemas stand: one schema, a list of them, or schemas by names. */
export const JSON_SCHEMA_PARTS: Readonly<Record<'one' | 'lists' | 'named', readonly string[]>> = {
  one: [
    'items',
    'additionalItems',
    'additionalProperties',
    'unevaluatedProperties',
    'unevaluatedItems',
    'contains',
    'propertyNames',
    'not',
    'if',
    'then',
    'else',
  ],
  lists: ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'],
  named: ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies'],
}

/** The schemas directly below `schema`, each with the steps that lead to it. */
export function* children(schema: JsonSchema): Generator<{ schema: unknown; steps: readonly string[] }> {
  for (const keyword of JSON_SCHEMA_PARTS.one) yield { schema: schema[keyword], steps: [keyword] }
  for (const keyword of JSON_SCHEMA_PARTS.lists) {
    const list: unknown = schema[keyword]
    if (!Array.isArray(list)) continue
    for (const [index, item] of list.entries()) yield { schema: item, steps: [keyword, String(index)] }
  }
  for (const keyword of JSON_SCHEMA_PARTS.named) {
    const named = schema[keyword]
    if (!isObject(named)) continue
    for (const [name, item] of Object.entries(named)) yield { schema: item, steps: [keyword, name] }
  }
}

/** Every schema within `schema`, itself first, with its JSON pointer. References are not followed. */
export function* subschemas(schema: unknown, at = ''): Generator<{ schema: JsonSchema; at: string }> {
  if (!isObject(schema)) return
  yield { schema, at }
  for (const child of children(schema)) yield* subschemas(child.schema, pointerTo(at, ...child.steps))
}
