import { DELTA_TYPE } from '../contract/json-schema/delta-type.ts'
import { loadContract } from '../contract/contract.ts'
import { fieldNamed, type DataType, type StructType } from '../core/schema.ts'
import { elementsOf, valuesOf } from './inferred.ts'

/** What is written into a contract beside types. */
export interface WrittenRules {
  /** Whether text of few different values becomes an enumeration. */
  readonly enums: boolean
}

type Json = Record<string, unknown>

/** Formats that text is tried for, the first that all values of a column have. */
const FORMATS = ['date-time', 'date', 'uuid', 'email'] as const
/** Values that a column must have shown before their likeness counts for anything. */
const VALUES_MIN = 5
const ENUM_MAX = 12

/**
 * A JSON Schema, draft 2020-12, that takes each of the messages and makes the columns `schema`, which were inferred from
 * them. Fields that all messages have are required.
 */
export function writtenContract(
  messages: readonly object[],
  schema: StructType,
  rules: WrittenRules = { enums: false },
): Json {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...objectOf(schema, messages, rules),
  }
}

function objectOf(type: StructType, values: readonly unknown[], rules: WrittenRules): Json {
  const objects = values.filter((value) => value !== null)
  const properties: [string, Json][] = []
  const required: string[] = []
  for (const { name, type: inner } of type.fields) {
    const own = valuesOf(objects, name, type)
    properties.push([name, valueOf(inner, own, rules)])
    // Of a name in two spellings only one is the column's.
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
  return key === name || fieldNamed(type, key)?.name === name
}

function valueOf(type: DataType, values: readonly unknown[], rules: WrittenRules): Json {
  const written = presentOf(type, values, rules)
  const kind = written['type']
  if (kind === undefined || !values.includes(null)) return written
  const list = written['enum'] as readonly unknown[] | undefined
  return { ...written, type: [kind, 'null'], ...(list === undefined ? {} : { enum: [...list, null] }) }
}

function presentOf(type: DataType, values: readonly unknown[], rules: WrittenRules): Json {
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
  const texts = values.filter((value) => value !== null)
  // Values of several kinds, kept as JSON.
  if (!texts.every((value) => typeof value === 'string')) return { [DELTA_TYPE]: 'string' }
  return textOf(texts, rules)
}

function textOf(texts: readonly string[], { enums }: WrittenRules): Json {
  if (texts.length < VALUES_MIN) return { type: 'string' }
  const format = FORMATS.find((name) => texts.every((text) => CHECKS[name](text)))
  // The column stays text, as the columns say; without this keyword it would be a timestamp or a date.
  if (format === 'date-time' || format === 'date') return { type: 'string', format, [DELTA_TYPE]: 'string' }
  if (format !== undefined) return { type: 'string', format }
  const different = new Set(texts)
  return enums && different.size > 1 && different.size <= ENUM_MAX && texts.length >= 10 * different.size
    ? { type: 'string', enum: [...different].sort() }
    : { type: 'string' }
}

/** Whether a text has a format, as contracts assert it. */
const CHECKS: Readonly<Record<(typeof FORMATS)[number], (text: string) => boolean>> = Object.fromEntries(
  FORMATS.map((format) => {
    const json = { type: 'object', properties: { text: { type: 'string', format } } }
    const contract = loadContract(json, { source: format })
    return [format, (text: string) => contract.check({ text }) === undefined]
  }),
) as Readonly<Record<(typeof FORMATS)[number], (text: string) => boolean>>
