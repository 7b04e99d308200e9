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

/** What a local reference points to, or `undefined` where it points outside the file or at nothing. */
export function resolveLocal(root: JsonSchema, reference: string): unknown {
  const id = typeof root['$id'] === 'string' ? root['$id'].replace(/#$/, '') : ''
  const local = id !== '' && reference.startsWith(`${id}#`) ? reference.slice(id.length) : reference
  if (local === '#') return root
  if (!local.startsWith('#/')) return undefined
  let found: unknown = root
  for (const step of local.slice(2).split('/')) {
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

const ONE = [
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
]
const LISTS = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items']
const NAMED = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies']

/** Every schema within `schema`, itself first, with its JSON pointer. References are not followed. */
export function* subschemas(schema: unknown, at = ''): Generator<{ schema: JsonSchema; at: string }> {
  if (!isObject(schema)) return
  yield { schema, at }
  for (const keyword of ONE) yield* subschemas(schema[keyword], pointerTo(at, keyword))
  for (const keyword of LISTS) {
    const list: unknown = schema[keyword]
    if (!Array.isArray(list)) continue
    for (const [index, item] of list.entries()) yield* subschemas(item, pointerTo(at, keyword, String(index)))
  }
  for (const keyword of NAMED) {
    const named = schema[keyword]
    if (!isObject(named)) continue
    for (const [name, item] of Object.entries(named)) yield* subschemas(item, pointerTo(at, keyword, name))
  }
}
