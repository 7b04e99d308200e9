import { DELTA_TYPE_KEYWORD } from '../contract/json-schema/delta-type.ts'
import { loadContract } from '../contract/contract.ts'
import { findField, type DataType, type StructType } from '../core/schema.ts'
import { elementsOf, valuesOf } from './infer-from-sample.ts'

/** Describes what a generated contract contains besides types. */
interface GeneratedContractRules {
  /** True when text with few distinct values becomes an enumeration. */
  readonly enums: boolean
}

type Json = Record<string, unknown>

/** String formats to try; the first that all values match is used. */
const FORMATS = ['date-time', 'date', 'uuid', 'email'] as const
/** Values required before a format or enumeration is derived from them. */
const VALUES_MIN = 5
const ENUM_MAX = 12

/**
 * Generates a JSON Schema (draft 2020-12) that accepts each of the messages and describes the columns of `schema`,
 * which was inferred from them. Fields that all messages have are required.
 */
export function generateContract(
  messages: readonly object[],
  schema: StructType,
  rules: GeneratedContractRules = { enums: false },
): Json {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...objectOf(schema, messages, rules),
  }
}

function objectOf(type: StructType, values: readonly unknown[], rules: GeneratedContractRules): Json {
  const objects = values.filter((value) => value !== null)
  const properties: [string, Json][] = []
  const required: string[] = []
  for (const { name, type: inner } of type.fields) {
    const own = valuesOf(objects, name, type)
    properties.push([name, valueOf(inner, own, rules)])
    // Of two spellings of a name, only one fills the column.
    const spelled = objects.filter((value) =>
      Object.keys(value as object).some((key) => isOf(key, name, type)),
    )
    if (own.length === objects.length && spelled.length === objects.length && own.length > 0)
      required.push(name)
  }
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required }),
  }
}

function isOf(key: string, name: string, type: StructType): boolean {
  return key === name || findField(type, key)?.name === name
}

function valueOf(type: DataType, values: readonly unknown[], rules: GeneratedContractRules): Json {
  const written = presentOf(type, values, rules)
  const kind = written['type']
  if (kind === undefined || !values.includes(null)) return written
  const list = written['enum'] as readonly unknown[] | undefined
  return { ...written, type: [kind, 'null'], ...(list === undefined ? {} : { enum: [...list, null] }) }
}

function presentOf(type: DataType, values: readonly unknown[], rules: GeneratedContractRules): Json {
  if (typeof type !== 'string') {
    if (type.type === 'struct') return objectOf(type, values, rules)
    if (type.type === 'array')
      return { type: 'array', items: valueOf(type.elementType, elementsOf(values), rules) }
    return { type: 'object', additionalProperties: valueOf(type.valueType, [], rules) }
  }
  if (type === 'long') return { type: 'integer' }
  if (type === 'double') return { type: 'number' }
  if (type === 'boolean') return { type: 'boolean' }
  if (type === 'timestamp') return { type: 'string', format: 'date-time' }
  if (type === 'date') return { type: 'string', format: 'date' }
  if (type === 'binary') return { type: 'string', contentEncoding: 'base64' }
  if (type !== 'string') return { type: JSON_TYPES[type] ?? 'number', [DELTA_TYPE_KEYWORD]: type }
  const texts = values.filter((value) => value !== null)
  // Values of several types, stored as JSON text.
  if (!texts.every((value) => typeof value === 'string')) return { [DELTA_TYPE_KEYWORD]: 'string' }
  return textOf(texts, rules)
}

/** JSON types of values for column types that only a writer's schema has; other such types are numbers. */
const JSON_TYPES: Readonly<Record<string, string>> = {
  byte: 'integer',
  short: 'integer',
  integer: 'integer',
  timestamp_ntz: 'string',
}

function textOf(texts: readonly string[], { enums }: GeneratedContractRules): Json {
  if (texts.length < VALUES_MIN) return { type: 'string' }
  const format = FORMATS.find((name) => texts.every((text) => CHECKS[name](text)))
  // The column is a string; without this keyword the contract would make it a timestamp or a date.
  if (format === 'date-time' || format === 'date')
    return { type: 'string', format, [DELTA_TYPE_KEYWORD]: 'string' }
  if (format !== undefined) return { type: 'string', format }
  const different = new Set(texts)
  return enums && different.size > 1 && different.size <= ENUM_MAX && texts.length >= 10 * different.size
    ? { type: 'string', enum: [...different].sort() }
    : { type: 'string' }
}

/** Checks of the string formats, exactly as contracts apply them. */
const CHECKS: Readonly<Record<(typeof FORMATS)[number], (text: string) => boolean>> = Object.fromEntries(
  FORMATS.map((format) => {
    const json = { type: 'object', properties: { text: { type: 'string', format } } }
    const contract = loadContract(json, { source: format })
    return [format, (text: string) => contract.check({ text }) === undefined]
  }),
) as Readonly<Record<(typeof FORMATS)[number], (text: string) => boolean>>
