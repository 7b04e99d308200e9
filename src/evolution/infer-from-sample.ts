import { builderOf } from '../arrow/builder.ts'
import { ExactNumber, isMessageObject, isObjectOrArray } from '../core/exact.ts'
import { findField, type DataType, type StructField, type StructType } from '../core/schema.ts'
import type { WriterSchema } from '../formats/format.ts'
import { coerceMessage, type CoercedMessage } from './coerce-message.ts'
import { countFields, inferNewColumns } from './infer-new-columns.ts'
import { INFERRED_FIELDS_MAX } from './policy.ts'
import { columnOriginOf } from './table-columns.ts'
import { describesField, hasUndescribed, mergeWriterColumns } from './writer-columns.ts'

/** Describes how columns are inferred from a sample of messages. */
interface InferenceRules {
  /** True when strings that are all dates or times become columns of these types. */
  readonly timestamps: boolean
  /** Decides whether a column, by its lower-case name, is filled by something other than the messages. */
  readonly isHidden?: (folded: string) => boolean
  /** The writer's schema of each message, undefined for one that names none. */
  readonly writers?: readonly (WriterSchema | undefined)[]
}

/**
 * Infers the columns of a sample of messages, in order of first appearance. All are nullable. A message that names its
 * writer's schema has the columns of that schema, at most 10,000 fields of all schemas together; other fields, at most
 * 500 at any depth, have types by their values: numbers are integers only when no value of the column has a fraction, and
 * a column with values of several types is a string.
 */
export function inferColumns(messages: readonly object[], rules: InferenceRules): StructType {
  const { isHidden = () => false, writers = [], timestamps } = rules
  const described = mergeWriterColumns(writers.filter(isDefined), isHidden)
  const fieldsMax = INFERRED_FIELDS_MAX + countFields(described)
  let type = described
  for (const [index, message] of messages.entries()) {
    const writer = writers[index]
    if (writer !== undefined && !hasUndescribed(unknownFieldsOf(message, type), writer)) continue
    type = inferNewColumns(type, message, {
      fieldsMax: fieldsMax - countFields(type),
      isHidden: (folded) => isHidden(folded) || (writer !== undefined && describesField(writer, folded)),
    })
  }
  const fields = type.fields.map((field): StructField => {
    const plain = withoutMetadata(field.type)
    const isDescribed = columnOriginOf(field) === 'schema'
    const fitted = isDescribed ? plain : fitToValues(plain, valuesOf(messages, field.name, type), timestamps)
    return { name: field.name, type: fitted, nullable: true, metadata: {} }
  })
  return { type: 'struct', fields }
}

function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined
}

/**
 * Returns the dotted paths, at most 20, of fields in the messages that have no column, because of their names or
 * their number.
 */
export function listUnmappedFields(
  messages: readonly object[],
  schema: StructType,
  isHidden: (folded: string) => boolean,
): readonly string[] {
  const found = new Set<string>()
  for (const message of messages) {
    for (const { path, value } of unknownFieldsOf(message, schema))
      if (value !== null && !isHidden(path.toLowerCase()) && found.size < UNMAPPED_MAX) found.add(path)
  }
  return [...found]
}

function unknownFieldsOf(message: object, schema: StructType): CoercedMessage['unknownFields'] {
  try {
    return coerceMessage(message, schema, { rescues: false, jsonTextColumns: 'all' }).unknownFields
  } catch (error) {
    // Nesting too deep for the stack is a fault of the message, which becomes a dead letter when it is read.
    if (!(error instanceof RangeError)) throw error
    return []
  }
}

const UNMAPPED_MAX = 20

/** Returns one line per column, in the form of a change to a table: `+ id long`. */
export function describeAddedColumns({ fields }: StructType): readonly string[] {
  return fields.map(({ name, type }) => `+ ${name} ${typeText(type)}`)
}

function typeText(type: DataType): string {
  if (typeof type === 'string') return type
  switch (type.type) {
    case 'struct':
      return `struct<${type.fields.map(({ name, type: inner }) => `${name}: ${typeText(inner)}`).join(', ')}>`
    case 'array':
      return `array<${typeText(type.elementType)}>`
    case 'map':
      return `map<${typeText(type.keyType)}, ${typeText(type.valueType)}>`
  }
}

/** Returns the type without the metadata that inference keeps in its fields. */
function withoutMetadata(type: DataType): DataType {
  if (typeof type === 'string') return type
  if (type.type === 'array') return { ...type, elementType: withoutMetadata(type.elementType) }
  if (type.type === 'map') return { ...type, valueType: withoutMetadata(type.valueType) }
  const fields = type.fields.map(({ name, type: inner }): StructField => {
    return { name, type: withoutMetadata(inner), nullable: true, metadata: {} }
  })
  return { type: 'struct', fields }
}

/**
 * Returns the type adjusted to all values: a string wherever a value has another type, such as an empty object in a
 * column of arrays; with `timestamps`, a date or timestamp wherever all strings are such.
 */
function fitToValues(type: DataType, values: readonly unknown[], timestamps: boolean): DataType {
  if (typeof type === 'string') {
    if (type !== 'string')
      return values.every((value) => value === null || hasType(type, value)) ? type : 'string'
    if (!timestamps) return type
    return areAll(values, 'timestamp') ? 'timestamp' : areAll(values, 'date') ? 'date' : type
  }
  const isList = type.type === 'array'
  if (values.some((value) => value !== null && (!isObjectOrArray(value) || Array.isArray(value) !== isList)))
    return 'string'
  if (type.type === 'map') return type
  if (type.type === 'array')
    return { ...type, elementType: fitToValues(type.elementType, elementsOf(values), timestamps) }
  const fields = type.fields.map((field) => {
    return { ...field, type: fitToValues(field.type, valuesOf(values, field.name, type), timestamps) }
  })
  return { type: 'struct', fields }
}

/** Returns true when the value is a boolean or a number, as the type requires. */
function hasType(type: DataType, value: unknown): boolean {
  if (type === 'boolean') return typeof value === 'boolean'
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber
}

const TIMES = {
  timestamp: /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/,
  date: /^\d{4}-\d\d-\d\d$/,
}

function areAll(values: readonly unknown[], type: 'timestamp' | 'date'): boolean {
  const present = values.filter((value) => value !== null)
  if (present.length === 0) return false
  const builder = builderOf(type)
  return present.every((value) => {
    if (typeof value !== 'string' || !TIMES[type].test(value)) return false
    const fault = builder.append(value)
    builder.truncate(0)
    return fault === undefined
  })
}

/** Returns the elements of the values that are arrays. */
export function elementsOf(values: readonly unknown[]): readonly unknown[] {
  return values.flatMap((value): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []))
}

/**
 * Returns the values of a field in those values that are objects, in any case of its name; absent fields are left
 * out.
 */
export function valuesOf(values: readonly unknown[], name: string, type: StructType): readonly unknown[] {
  return values.flatMap((value): readonly unknown[] => {
    if (!isMessageObject(value)) return []
    if (Object.hasOwn(value, name)) return [(value as Record<string, unknown>)[name]]
    const key = Object.keys(value).find((each) => findField(type, each)?.name === name)
    return key === undefined ? [] : [(value as Record<string, unknown>)[key]]
  })
}
