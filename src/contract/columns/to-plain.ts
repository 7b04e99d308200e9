import type { DataType, StructType } from '../../core/schema.ts'
import { extendPointer, isJsonObject } from '../json-schema/json-schema.ts'
import type { JsonSchema, JsonSchemaFault, JsonType } from '../json-schema/json-schema.ts'
import type { SchemaReferences } from '../json-schema/references.ts'
import type { SchemaPart } from '../json-schema/walk.ts'
import type { PlainContract, PlainField, PlainValue } from './plain.ts'
import { isAnnotation, rulesOfSchema, type PlainRules, type RuleWalk } from '../rules/rules.ts'
import { jsonTypesOf } from './to-table-schema.ts'
import { nullVerdict, VALID } from '../rules/verdict.ts'

const RANGE = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'] as const
const LENGTHS = ['minLength', 'maxLength'] as const
/** Types of columns whose readers apply a range. */
const RANGED: ReadonlySet<unknown> = new Set(['byte', 'short', 'integer', 'long', 'float', 'double'])
/** Rules of which the larger value is the stricter one. */
const LOWER_BOUNDS: ReadonlySet<string> = new Set(['minimum', 'exclusiveMinimum', 'minLength'])

/**
 * Returns `schema`, from which the table schema `type` was derived, as plain data, or the keywords that have no plain
 * form, each with its JSON pointer.
 */
export function toPlainContract(
  schema: JsonSchema,
  type: StructType,
  references: SchemaReferences,
): { readonly plain: PlainContract | undefined; readonly faults: readonly JsonSchemaFault[] } {
  const faults: JsonSchemaFault[] = []
  const value = valueOf([{ schema, at: '', refs: [] }], type, { references, faults })
  if (value.nullable && faults.length === 0)
    faults.push({ at: '', message: 'a record that may be null can only be checked as an object' })
  return { plain: faults.length === 0 ? value.object : undefined, faults }
}

/** Describes a schema that applies to a value, and the keywords of it that are expressed already. */
interface Part extends SchemaPart {
  readonly done: Set<string>
}

function valueOf(written: readonly SchemaPart[], type: DataType, walk: RuleWalk): PlainValue {
  const parts = written.flatMap((part) => applicableParts(part, walk))
  const kinds = jsonTypesOf(parts)
  const [json] = kinds
  const known: { json?: JsonType } = json !== undefined && kinds.length === 1 ? { json } : {}
  if (known.json !== undefined) for (const { done } of parts) done.add('type').add('nullable')
  const base = { type, ...known, nullable: acceptsNull(written, walk) }
  if (typeof type === 'string') return { ...base, ...scalarRules(parts, base, walk) }
  switch (type.type) {
    case 'struct':
      return { ...base, object: objectOf(parts, type, walk) }
    case 'array': {
      const items = below(parts, 'items')
      const rules = rulesOf(parts, walk)
      return { ...base, items: valueOf(items, type.elementType, walk), ...rules }
    }
    case 'map': {
      const entries = below(parts, 'additionalProperties')
      const rules = rulesOf(parts, walk)
      return { ...base, entries: valueOf(entries, type.valueType, walk), ...rules }
    }
  }
}

function acceptsNull(parts: readonly SchemaPart[], { references }: RuleWalk): boolean {
  // Keywords without a plain form are faults of the value itself.
  const walk = { references, faults: [] }
  return parts.every(({ schema, at }) => nullVerdict(rulesOfSchema(schema, at, walk)) === VALID)
}

/** Returns the schemas below a keyword that has one schema, and marks those of them as expressed that are objects. */
function below(parts: readonly Part[], keyword: string): SchemaPart[] {
  return parts.flatMap(({ schema, at, refs, done }): SchemaPart[] => {
    const inner = schema[keyword]
    if (!isJsonObject(inner) && inner !== true) return []
    done.add(keyword)
    return isJsonObject(inner) ? [{ schema: inner, at: extendPointer(at, keyword), refs }] : []
  })
}

/** Returns the rules of all parts that are not expressed elsewhere, if there are any. */
function rulesOf(parts: readonly Part[], walk: RuleWalk): { readonly rules?: PlainRules } {
  return togetherOf(parts.map(({ schema, at, done }) => rulesOfSchema(schema, at, walk, done)))
}

function togetherOf(all: readonly PlainRules[]): { readonly rules?: PlainRules } {
  const [first, ...rest] = all.filter((rules) => Object.keys(rules).length > 0)
  if (first === undefined) return {}
  return { rules: rest.length === 0 ? first : { allOf: [first, ...rest] } }
}

type Scalar = Pick<
  PlainValue,
  'format' | 'enum' | 'rules' | (typeof RANGE)[number] | (typeof LENGTHS)[number]
>

function scalarRules(parts: readonly Part[], { type, json }: PlainValue, walk: RuleWalk): Scalar {
  const isNumber = RANGED.has(type) && (json === 'integer' || json === 'number')
  const isText = type === 'string' && json === 'string'
  const bounds = isNumber ? boundsOf(parts, RANGE) : {}
  const texts = isText ? textsOf(parts) : undefined
  // An enumeration decides alone: its reader compares whole texts.
  const lengths = isText && texts === undefined ? boundsOf(parts, LENGTHS) : {}
  const format = json === 'string' ? formatOf(parts, type) : undefined
  return {
    ...bounds,
    ...lengths,
    ...(format === undefined ? {} : { format }),
    ...(texts === undefined ? {} : { enum: texts }),
    ...rulesOf(parts, walk),
  }
}

/** Returns the strictest bound of each kind. */
function boundsOf<Key extends string>(
  parts: readonly Part[],
  keys: readonly Key[],
): Partial<Record<Key, number>> {
  const bounds: Partial<Record<Key, number>> = {}
  for (const { schema, done } of parts) {
    for (const key of keys) {
      const bound = boundOf(schema, key)
      if (bound === undefined) continue
      const other = bounds[key] ?? bound
      bounds[key] = LOWER_BOUNDS.has(key) ? Math.max(bound, other) : Math.min(bound, other)
      done.add(key)
      // The flag says what its bound means.
      if (schema[key] === true) done.add(key.replace('exclusiveM', 'm'))
    }
  }
  return bounds
}

/** In draft-04 a flag makes a bound exclusive. */
function boundOf(schema: JsonSchema, key: string): number | undefined {
  const isFlagged = (name: string): boolean => schema[`exclusive${name.replace('m', 'M')}`] === true
  const plain = key.replace('exclusiveM', 'm')
  const bound = isFlagged(plain) ? (key === plain ? undefined : schema[plain]) : schema[key]
  return typeof bound === 'number' ? bound : undefined
}

/** Returns the texts of the first enumeration that applies. */
function textsOf(parts: readonly Part[]): readonly string[] | undefined {
  for (const { schema, done } of parts) {
    const listed = schema['enum']
    if (!Array.isArray(listed)) continue
    done.add('enum')
    // Values of other types are never equal to a text.
    return (listed as unknown[]).filter((item) => typeof item === 'string')
  }
  return undefined
}

/** Returns the format that the reader of a column of dates or instants checks. */
function formatOf(parts: readonly Part[], type: DataType): PlainValue['format'] {
  const format = type === 'timestamp' ? 'date-time' : type === 'date' ? 'date' : undefined
  const found = parts.filter(({ schema }) => schema['format'] === format)
  if (format === undefined || found.length === 0) return undefined
  for (const { done } of found) done.add('format')
  return format
}

function objectOf(parts: readonly Part[], type: StructType, walk: RuleWalk): PlainContract {
  const names = new Set(type.fields.map(({ name }) => name))
  const required = new Set<string>()
  const rest: PlainRules[] = []
  let additionalProperties = true
  for (const { schema, at, done } of parts) {
    const properties = isJsonObject(schema['properties']) ? schema['properties'] : {}
    const list = (Array.isArray(schema['required']) ? schema['required'] : []) as string[]
    for (const name of list) if (names.has(name)) required.add(name)
    if (list.every((name) => names.has(name))) done.add('required')
    if (schema['additionalProperties'] === false) {
      if ([...names].every((name) => Object.hasOwn(properties, name))) additionalProperties = false
      else rest.push(onlyNamed(Object.keys(properties)))
    }
    // The derivation of columns refuses other schemas beside `properties`.
    done.add('additionalProperties').add('properties')
    for (const [name, inner] of Object.entries(properties))
      if (!names.has(name) || !(isJsonObject(inner) || inner === true))
        walk.faults.push({
          at: extendPointer(at, 'properties', name),
          message: 'a property without a column can only be checked on objects',
        })
  }
  const fields = type.fields.map((field): PlainField => {
    const value = valueOf(propertyParts(parts, field.name), field.type, walk)
    return { name: field.name, required: required.has(field.name), ...value }
  })
  return {
    fields,
    additionalProperties,
    ...togetherOf([...rest, rulesOf(parts, walk).rules ?? {}]),
  }
}

function onlyNamed(names: readonly string[]): PlainRules {
  return { properties: names.map((name) => ({ name, rules: {} })), additional: { never: true } }
}

function propertyParts(parts: readonly Part[], name: string): SchemaPart[] {
  return parts.flatMap(({ schema, at, refs }): SchemaPart[] => {
    const properties = schema['properties']
    const inner = isJsonObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined
    return isJsonObject(inner) ? [{ schema: inner, at: extendPointer(at, 'properties', name), refs }] : []
  })
}

/**
 * Returns the schemas that every value but null must obey: the schema itself, those that it refers to, all of `allOf`,
 * and the only alternative beside null.
 */
function applicableParts({ schema, at, refs }: SchemaPart, walk: RuleWalk): Part[] {
  const done = new Set<string>()
  const parts: Part[] = [{ schema, at, refs, done }]
  const add = (inner: JsonSchema, where: string, seen: readonly unknown[]): void => {
    parts.push(...applicableParts({ schema: inner, at: where, refs: seen }, walk))
  }
  const { $ref } = schema
  if (typeof $ref === 'string') {
    const target = walk.references.resolve(schema, $ref)
    if (target !== undefined && isJsonObject(target.schema) && !refs.includes(target.schema)) {
      done.add('$ref')
      add(target.schema, target.at, [...refs, target.schema])
    }
  }
  const all = schema['allOf']
  if (Array.isArray(all) && all.every(isJsonObject)) {
    done.add('allOf')
    for (const [index, item] of all.entries()) add(item, extendPointer(at, 'allOf', String(index)), refs)
  }
  for (const keyword of ['anyOf', 'oneOf']) {
    const alternatives = schema[keyword]
    if (!Array.isArray(alternatives)) continue
    const others = [...alternatives.entries()].filter(([, item]) => !isNullOnly(item))
    const [index, only] = others[0] ?? []
    if (others.length !== 1 || !isJsonObject(only)) continue
    done.add(keyword)
    add(only, extendPointer(at, keyword, String(index)), refs)
  }
  return parts
}

function isNullOnly(schema: unknown): boolean {
  if (!isJsonObject(schema)) return false
  return schema['type'] === 'null' && Object.keys(schema).every((key) => key === 'type' || isAnnotation(key))
}
