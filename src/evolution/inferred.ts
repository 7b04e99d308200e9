import { builderOf } from '../arrow/builder.ts'
import { Exact } from '../core/exact.ts'
import { fieldNamed, type DataType, type StructField, type StructType } from '../core/schema.ts'
import { fit } from './fit.ts'
import { fieldCount, learn } from './learn.ts'
import { LEARNED_MAX } from './policy.ts'

/** What bounds the columns that messages ask for. */
export interface InferenceRules {
  /** Whether texts that are all dates and times become such columns. */
  readonly timestamps: boolean
  /** Whether a column, by its name in lower case, is filled by others than the messages. */
  readonly hidden?: (folded: string) => boolean
}

/**
 * The columns that these messages ask for together, each after the first message that shows it, nullable, at most 500 at
 * any depth. Whole numbers are integers only where none of the column has a fraction; what comes in several types is text.
 */
export function inferColumns(messages: readonly object[], rules: InferenceRules): StructType {
  let type: StructType = { type: 'struct', fields: [] }
  const hidden = rules.hidden ?? (() => false)
  for (const message of messages)
    type = learn(type, message, { fieldsMax: LEARNED_MAX - fieldCount(type), hidden })
  return settled(bare(type), messages, rules.timestamps) as StructType
}

/** Dotted paths of what messages hold and no column takes, at most 20: names that no column can have, and too many. */
export function leftOut(
  messages: readonly object[],
  schema: StructType,
  hidden: (folded: string) => boolean,
): readonly string[] {
  const found = new Set<string>()
  for (const message of messages) {
    for (const { path, value } of fit(message, schema, { rescues: false, lenient: 'all' }).unknown)
      if (value !== null && !hidden(path.toLowerCase()) && found.size < LEFT_OUT_MAX) found.add(path)
  }
  return [...found]
}

const LEFT_OUT_MAX = 20

/** Columns as they are told of a table that is made or changed: `+ id long`. */
export function addedLines({ fields }: StructType): readonly string[] {
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

/** The type without the marks of how its fields were found. */
function bare(type: DataType): DataType {
  if (typeof type === 'string') return type
  if (type.type === 'array') return { ...type, elementType: bare(type.elementType) }
  if (type.type === 'map') return { ...type, valueType: bare(type.valueType) }
  const fields = type.fields.map(({ name, type: inner }): StructField => {
    return { name, type: bare(inner), nullable: true, metadata: {} }
  })
  return { type: 'struct', fields }
}

/**
 * The type with text in the place of what some value is none of, such as the empty object that says nothing of an array; and
 * with `timestamps`, with dates and times in the place of text that is all such.
 */
function settled(type: DataType, values: readonly unknown[], timestamps: boolean): DataType {
  if (typeof type === 'string') {
    if (type !== 'string')
      return values.every((value) => value === null || isOf(type, value)) ? type : 'string'
    if (!timestamps) return type
    return allOf(values, 'timestamp') ? 'timestamp' : allOf(values, 'date') ? 'date' : type
  }
  const isList = type.type === 'array'
  if (values.some((value) => value !== null && (!isContainer(value) || Array.isArray(value) !== isList)))
    return 'string'
  if (type.type === 'map') return type
  if (type.type === 'array')
    return { ...type, elementType: settled(type.elementType, elementsOf(values), timestamps) }
  const fields = type.fields.map((field) => {
    return { ...field, type: settled(field.type, valuesOf(values, field.name, type), timestamps) }
  })
  return { type: 'struct', fields }
}

/** Whether a value is a boolean or a number, as the type asks. */
function isOf(type: DataType, value: unknown): boolean {
  if (type === 'boolean') return typeof value === 'boolean'
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof Exact
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Exact)
}

const TIMES = {
  timestamp: /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/,
  date: /^\d{4}-\d\d-\d\d$/,
}

function allOf(values: readonly unknown[], type: 'timestamp' | 'date'): boolean {
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

/** The elements of those values that are arrays. */
export function elementsOf(values: readonly unknown[]): readonly unknown[] {
  return values.flatMap((value): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []))
}

/** What those values that are objects hold for a field of theirs, in any spelling; absent ones are left out. */
export function valuesOf(values: readonly unknown[], name: string, type: StructType): readonly unknown[] {
  return values.flatMap((value): readonly unknown[] => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Exact)
      return []
    if (Object.hasOwn(value, name)) return [(value as Record<string, unknown>)[name]]
    const key = Object.keys(value).find((each) => fieldNamed(type, each)?.name === name)
    return key === undefined ? [] : [(value as Record<string, unknown>)[key]]
  })
}
