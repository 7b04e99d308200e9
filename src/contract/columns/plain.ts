import type { DataType, StructType } from '../../core/schema.ts'
import { DELTA_TYPE_KEYWORD } from '../json-schema/delta-type.ts'
import { isJsonObject } from '../json-schema/json-schema.ts'
import type { JsonType, JsonSchema } from '../json-schema/json-schema.ts'
import type { SchemaReferences } from '../json-schema/references.ts'

/**
 * Describes a contract as plain data, for a validator that sees bytes and columns but no objects. It exists only when
 * it expresses every rule of the JSON Schema: a record that it accepts is one that `Contract.check` accepts. Rules
 * that it cannot express (patterns, alternatives, maps, conditions) are left to `check`.
 */
export interface PlainContract {
  readonly fields: readonly PlainField[]
  /** True when properties other than `fields` are allowed. They are left out of the table. */
  readonly additionalProperties: boolean
}

/** Describes one property of an object. */
export interface PlainField extends PlainValue {
  readonly name: string
  /** True when the property must be present. A property with the value null is present. */
  readonly required: boolean
}

/** Describes the values that are accepted. A rule that is absent accepts everything. */
export interface PlainValue {
  /** The column type, which the value must fit as well. */
  readonly type: DataType
  /** The JSON type; `integer` includes `1.0` and `1e3`. Absent: any value that fits the column. */
  readonly json?: JsonType
  /** True when null is accepted. */
  readonly nullable: boolean
  /**
   * The formats as ajv-formats reads them: `2024-02-29`, `2024-02-29T12:00:00.123Z` (`T` or a space; `Z` or an offset
   * is required).
   */
  readonly format?: 'date' | 'date-time'
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  /** In Unicode code points. */
  readonly minLength?: number
  /** In Unicode code points. */
  readonly maxLength?: number
  /** Fields of a struct. */
  readonly object?: PlainContract
  /** Elements of an array. */
  readonly items?: PlainValue
}

type Rule = 'minimum' | 'maximum' | 'exclusiveMinimum' | 'exclusiveMaximum' | 'minLength' | 'maxLength'

const NUMERIC: readonly Rule[] = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']
const LENGTHS: readonly Rule[] = ['minLength', 'maxLength']
const ANNOTATIONS = new Set(
  (
    'title description $comment default examples example deprecated readOnly writeOnly $schema $id id $defs definitions ' +
    `nullable type contentEncoding contentMediaType $anchor ${DELTA_TYPE_KEYWORD}`
  ).split(' '),
)
const ALLOWED: Readonly<Record<JsonType, ReadonlySet<string>>> = {
  string: new Set<string>(['format', 'enum', ...LENGTHS]),
  integer: new Set<string>(NUMERIC),
  number: new Set<string>(NUMERIC),
  boolean: new Set(),
  object: new Set(['properties', 'required', 'additionalProperties']),
  array: new Set(['items']),
}

/**
 * Returns `schema`, from which the table schema `type` was derived, as plain data, or `undefined` when plain data
 * cannot express all of its rules.
 */
export function toPlainContract(
  schema: JsonSchema,
  type: StructType,
  references: SchemaReferences,
): PlainContract | undefined {
  const value = valueOf(schema, type, references)
  return value === undefined || value.nullable ? undefined : value.object
}

function valueOf(written: unknown, type: DataType, references: SchemaReferences): PlainValue | undefined {
  const found = resolveAlternatives(written, references)
  if (found === undefined) return undefined
  const { schema } = found
  const kinds = Array.isArray(schema['type']) ? (schema['type'] as unknown[]) : [schema['type']]
  const own = kinds.filter((kind) => kind !== 'null')
  const json = own[0] as JsonType | undefined
  if (own.length !== 1 || json === undefined) return undefined
  if (!Object.keys(schema).every((key) => ALLOWED[json].has(key) || isAnnotation(key))) return undefined
  const nullable = found.nullable || own.length < kinds.length || schema['nullable'] === true
  const rules = rulesOf(schema)
  const base = { type, json, ...rules }
  if (json === 'object') {
    const object = objectOf(schema, type, references)
    return object === undefined ? undefined : { ...base, nullable, object }
  }
  if (json === 'array') {
    if (typeof type === 'string' || type.type !== 'array') return undefined
    const items = valueOf(schema['items'], type.elementType, references)
    return items === undefined ? undefined : { ...base, nullable, items }
  }
  return json === 'string' ? textOf(schema, { ...base, nullable }, found.nullable) : { ...base, nullable }
}

function rulesOf(schema: JsonSchema): Partial<Record<Rule, number>> {
  const rules: Partial<Record<Rule, number>> = {}
  for (const rule of [...NUMERIC, ...LENGTHS]) {
    const limit = schema[rule]
    if (typeof limit === 'number') rules[rule] = limit
  }
  // In draft-04 a flag makes the limit exclusive.
  if (schema['exclusiveMinimum'] === true && rules.minimum !== undefined) {
    rules.exclusiveMinimum = rules.minimum
    delete rules.minimum
  }
  if (schema['exclusiveMaximum'] === true && rules.maximum !== undefined) {
    rules.exclusiveMaximum = rules.maximum
    delete rules.maximum
  }
  return rules
}

function objectOf(
  schema: JsonSchema,
  type: DataType,
  references: SchemaReferences,
): PlainContract | undefined {
  const properties = schema['properties']
  const additional = schema['additionalProperties'] ?? true
  const required = (schema['required'] ?? []) as string[]
  if (typeof type === 'string' || type.type !== 'struct' || !isJsonObject(properties)) return undefined
  if (typeof additional !== 'boolean' || !required.every((name) => Object.hasOwn(properties, name)))
    return undefined
  const fields: PlainField[] = []
  for (const field of type.fields) {
    const value = valueOf(properties[field.name], field.type, references)
    if (value === undefined) return undefined
    fields.push({ name: field.name, required: required.includes(field.name), ...value })
  }
  return { fields, additionalProperties: additional }
}

function textOf(schema: JsonSchema, value: PlainValue, orNull: boolean): PlainValue | undefined {
  const format = schema['format']
  if (format !== undefined && format !== 'date' && format !== 'date-time') return undefined
  const listed = schema['enum'] as readonly unknown[] | undefined
  const texts = listed?.filter((item) => item !== null)
  if (texts !== undefined && !texts.every((item) => typeof item === 'string')) return undefined
  return {
    ...value,
    // An enumeration without null refuses null even when the type allows it. An alternative that is null accepts it
    // anyway.
    nullable: value.nullable && (orNull || listed === undefined || listed.includes(null)),
    ...(format === undefined ? {} : { format }),
    ...(texts === undefined ? {} : { enum: texts }),
  }
}

/** Follows a schema that consists only of a reference, or of an alternative with null, to the schema itself. */
function resolveAlternatives(
  written: unknown,
  references: SchemaReferences,
): { schema: JsonSchema; nullable: boolean } | undefined {
  if (!isJsonObject(written)) return undefined
  const keys = Object.keys(written).filter((key) => !isAnnotation(key) || key === 'type')
  if (keys.length !== 1) return { schema: written, nullable: false }
  if (keys[0] === '$ref' && typeof written['$ref'] === 'string') {
    return resolveAlternatives(references.resolve(written, written['$ref'])?.schema, references)
  }
  if (keys[0] !== 'anyOf' && keys[0] !== 'oneOf') return { schema: written, nullable: false }
  const branches = written[keys[0]] as readonly unknown[]
  const others = branches.filter((branch) => !(isJsonObject(branch) && isNullOnly(branch)))
  if (others.length !== 1 || branches.length !== 2) return undefined
  const inner = resolveAlternatives(others[0], references)
  // A `oneOf` of two schemas that both accept null refuses null.
  if (inner === undefined || (keys[0] === 'oneOf' && takesNull(inner))) return undefined
  return { schema: inner.schema, nullable: true }
}

function takesNull(inner: { schema: JsonSchema; nullable: boolean }): boolean {
  const type = inner.schema['type']
  return inner.nullable || inner.schema['nullable'] === true || (Array.isArray(type) && type.includes('null'))
}

function isNullOnly(schema: JsonSchema): boolean {
  return schema['type'] === 'null' && Object.keys(schema).every((key) => isAnnotation(key))
}

/** Returns true for keywords that annotate and do not validate. */
function isAnnotation(key: string): boolean {
  return ANNOTATIONS.has(key) || key.startsWith('x-')
}
