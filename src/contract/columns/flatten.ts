import { isObject, pointerTo } from '../json-schema/json-schema.ts'
import { fault } from '../json-schema/walk.ts'
import type { Part, Walk } from '../json-schema/walk.ts'

const TYPED = [
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

/** All schemas that apply to the value that `part` describes: itself, what it refers to, all of `allOf`, and the alternative beside null. */
export function flatten(part: Part, walk: Walk): Part[] {
  const parts: Part[] = [part]
  const { schema, at, refs } = part
  for (const keyword of ['$ref', '$dynamicRef', '$recursiveRef']) {
    const reference = schema[keyword]
    if (typeof reference === 'string') parts.push(...referred(part, keyword, reference, walk))
  }
  for (const [index, item] of listOf(schema['allOf'])) {
    if (isObject(item)) {
      parts.push(...flatten({ schema: item, at: pointerTo(at, 'allOf', index), refs }, walk))
    }
  }
  for (const keyword of ['anyOf', 'oneOf']) parts.push(...alternative(part, keyword, walk))
  return parts
}

function referred(part: Part, keyword: string, reference: string, walk: Walk): Part[] {
  const at = pointerTo(part.at, keyword)
  const refuse = (message: string): Part[] => {
    fault(walk, at, `${reference} ${message}`)
    return []
  }
  const name = keyword === '$recursiveRef' ? '' : reference.slice(reference.indexOf('#') + 1)
  if (keyword !== '$ref' && walk.references.dynamicTargets(name) > 1)
    return refuse(`means one schema or another while records are checked; a column needs \`$ref\``)
  const target = walk.references.resolve(part.schema, reference)
  if (target === undefined) {
    return refuse(
      reference.startsWith('#')
        ? 'is not within this file'
        : 'is neither within this file nor in one beside it; nothing is fetched from the network',
    )
  }
  if (part.refs.includes(target.schema)) return refuse('refers to itself; a table column cannot be recursive')
  if (!isObject(target.schema)) return []
  const refs = [...part.refs, target.schema]
  return flatten({ schema: target.schema, at: target.at, refs }, walk)
}

/** The one alternative that is not null; several are fine when they all mean the same column type. */
function alternative(part: Part, keyword: string, walk: Walk): Part[] {
  const { schema, at, refs } = part
  const all = listOf(schema[keyword])
  const others = all.filter(([, item]) => !isNull(item))
  const typed = others.flatMap(([index, item]): Part[] =>
    isObject(item) && TYPED.some((key) => Object.hasOwn(item, key))
      ? [{ schema: item, at: pointerTo(at, keyword, index), refs }]
      : [],
  )
  const [first, ...rest] = typed
  if (first === undefined) return []
  if (rest.length === 0) return flatten(first, walk)
  const types = typed.map((branch) => walk.typeOf([branch], branch.at))
  if (types.includes(undefined)) return []
  if (new Set(types.map((type) => JSON.stringify(type))).size > 1) {
    fault(walk, pointerTo(at, keyword), 'its alternatives differ in type; a column has one type')
    return []
  }
  return flatten(first, walk)
}

function isNull(schema: unknown): boolean {
  if (!isObject(schema)) return false
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
