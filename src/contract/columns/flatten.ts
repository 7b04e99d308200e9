import { isJsonObject, extendPointer } from '../json-schema/json-schema.ts'
import { addFault } from '../json-schema/walk.ts'
import type { SchemaPart, SchemaWalk } from '../json-schema/walk.ts'

const TYPE_KEYWORDS = [
  'type',
  '$ref',
  'properties',
  'additionalProperties',
  'items',
  'enum',
  'const',
  'x-delta-type',
  'allOf',
  'anyOf',
  'oneOf',
]

/**
 * Returns all schemas that apply to the value that `part` describes: the schema itself, the schemas it refers to, all
 * of `allOf`, and the alternative that is not null.
 */
export function applicableSchemas(part: SchemaPart, walk: SchemaWalk): SchemaPart[] {
  const parts: SchemaPart[] = [part]
  const { schema, at, refs } = part
  for (const keyword of ['$ref', '$dynamicRef', '$recursiveRef']) {
    const reference = schema[keyword]
    if (typeof reference === 'string') parts.push(...referencedParts(part, keyword, reference, walk))
  }
  for (const [index, item] of listOf(schema['allOf'])) {
    if (isJsonObject(item)) {
      parts.push(...applicableSchemas({ schema: item, at: extendPointer(at, 'allOf', index), refs }, walk))
    }
  }
  for (const keyword of ['anyOf', 'oneOf']) parts.push(...alternativeParts(part, keyword, walk))
  return parts
}

function referencedParts(
  part: SchemaPart,
  keyword: string,
  reference: string,
  walk: SchemaWalk,
): SchemaPart[] {
  const at = extendPointer(part.at, keyword)
  const refuse = (message: string): SchemaPart[] => {
    addFault(walk, at, `${reference} ${message}`)
    return []
  }
  const name = keyword === '$recursiveRef' ? '' : reference.slice(reference.indexOf('#') + 1)
  if (keyword !== '$ref' && walk.references.countDynamicTargets(name) > 1)
    return refuse(`has several possible targets; a column needs \`$ref\``)
  const target = walk.references.resolve(part.schema, reference)
  if (target === undefined) {
    return refuse(
      reference.startsWith('#')
        ? 'is not in this file'
        : 'is neither in this file nor in a file next to it; nothing is fetched from the network',
    )
  }
  if (part.refs.includes(target.schema)) return refuse('refers to itself; a table column cannot be recursive')
  if (!isJsonObject(target.schema)) return []
  const refs = [...part.refs, target.schema]
  return applicableSchemas({ schema: target.schema, at: target.at, refs }, walk)
}

/** Returns the alternative that is not null. Several are accepted when they all map to the same column type. */
function alternativeParts(part: SchemaPart, keyword: string, walk: SchemaWalk): SchemaPart[] {
  const { schema, at, refs } = part
  const all = listOf(schema[keyword])
  const others = all.filter(([, item]) => !isNull(item))
  const typed = others.flatMap(([index, item]): SchemaPart[] =>
    isJsonObject(item) && TYPE_KEYWORDS.some((key) => Object.hasOwn(item, key))
      ? [{ schema: item, at: extendPointer(at, keyword, index), refs }]
      : [],
  )
  const [first, ...rest] = typed
  if (first === undefined) return []
  if (rest.length === 0) return applicableSchemas(first, walk)
  const types = typed.map((branch) => walk.typeOf([branch], branch.at))
  if (types.includes(undefined)) return []
  // A text column holds the JSON of any alternative, whatever its type.
  const isText = schema['x-delta-type'] === 'string' && !Object.hasOwn(schema, 'type')
  if (isText && types.some((type) => type !== 'string')) return []
  if (new Set(types.map((type) => JSON.stringify(type))).size > 1) {
    addFault(walk, extendPointer(at, keyword), 'its alternatives differ in type; a column has one type')
    return []
  }
  return applicableSchemas(first, walk)
}

function isNull(schema: unknown): boolean {
  if (!isJsonObject(schema)) return false
  const values: unknown = schema['enum']
  return (
    schema['type'] === 'null' ||
    (Object.hasOwn(schema, 'const') && schema['const'] === null) ||
    (Array.isArray(values) && values.length > 0 && values.every((value) => value === null))
  )
}

function listOf(list: unknown): [string, unknown][] {
  return Array.isArray(list) ? list.map((item: unknown, index) => [String(index), item]) : []
}
