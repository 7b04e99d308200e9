/** Describes a JSON Schema object. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** Names the type of a JSON value, as the keyword `type` does. */
export type JsonType = 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array'

/** Describes a reason why a contract is unusable: its place (JSON pointer into the contract) and a message. */
export interface JsonSchemaFault {
  readonly at: string
  readonly message: string
}

/** Returns true when `value` is a JSON object and not an array, null or a scalar. */
export function isJsonObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns `pointer` extended by `steps`, which are escaped as JSON Pointer (RFC 6901) requires. */
export function extendPointer(pointer: string, ...steps: readonly string[]): string {
  return steps.reduce((at, step) => `${at}/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`, pointer)
}

/** Returns the target of a JSON pointer in the fragment of a reference, or `undefined` when it does not exist. */
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
  // A reference is a URI fragment. A fragment with a stray `%` is taken literally instead of failing with a URIError.
  return /%(?![0-9a-f]{2})/i.test(text) ? text : decodeURIComponent(text)
}

/** Maps the keywords that contain schemas to their form: one schema, a list of schemas, or schemas by name. */
export const SUBSCHEMA_KEYWORDS: Readonly<Record<'one' | 'lists' | 'named', readonly string[]>> = {
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

/** Yields the direct subschemas of `schema`, each with the steps that lead to it. */
export function* childSchemas(schema: JsonSchema): Generator<{ schema: unknown; steps: readonly string[] }> {
  for (const keyword of SUBSCHEMA_KEYWORDS.one) yield { schema: schema[keyword], steps: [keyword] }
  for (const keyword of SUBSCHEMA_KEYWORDS.lists) {
    const list: unknown = schema[keyword]
    if (!Array.isArray(list)) continue
    for (const [index, item] of list.entries()) yield { schema: item, steps: [keyword, String(index)] }
  }
  for (const keyword of SUBSCHEMA_KEYWORDS.named) {
    const named = schema[keyword]
    if (!isJsonObject(named)) continue
    for (const [name, item] of Object.entries(named)) yield { schema: item, steps: [keyword, name] }
  }
}

/** Yields `schema` and all schemas within it, each with its JSON pointer. References are not followed. */
export function* subschemas(schema: unknown, at = ''): Generator<{ schema: JsonSchema; at: string }> {
  if (!isJsonObject(schema)) return
  yield { schema, at }
  for (const child of childSchemas(schema)) yield* subschemas(child.schema, extendPointer(at, ...child.steps))
}
