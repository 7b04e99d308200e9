import { parseKafkaMetadataField } from '../../config/transforms/expression.ts'
import { isWithinPath } from '../../config/transforms/path.ts'
import { findField, type DataType, type StructField, type StructType } from '../core/schema.ts'
import type { WriterSchema } from '../formats/format.ts'
import { invalidConfigError } from './faults.ts'
import type { CompiledTransform, Transformation } from './transformation.ts'
import { isAssignable, typeAtPath } from './types.ts'

/** The part of a transformation that affects the columns. */
export type HasTransformationSteps = Pick<Transformation, 'steps'>

const EMPTY: StructType = { type: 'struct', fields: [] }

/** Holds the context that affects the columns besides messages and transforms. */
export interface ColumnsAfterOptions {
  /** The columns of the table, if it exists. Transform results take their types. */
  readonly table?: StructType | undefined
  /** Prefix of the option names in error messages. */
  readonly prefix?: string
}

/**
 * Returns the columns of rows, given the columns of messages: with the fields that transforms add (as far as their
 * types are known), without dropped fields, and renamed. A field that messages or the table have keeps its type
 * unless another type is written explicitly.
 * @throws KD_CONFIG_INVALID with every transform whose values can never fit their column
 */
export function columnsAfter(
  schema: StructType,
  shaping: HasTransformationSteps,
  { table, prefix = '' }: ColumnsAfterOptions = {},
): StructType {
  const { steps } = shaping
  const faults: string[] = []
  let columns: StructType = schema
  for (const transform of steps.transforms) {
    const { destination, path, type, isExplicit, text } = transform
    if (type === undefined) continue
    const end = table && finalPathOf(path, shaping)
    const there = typeAtPath(schema, path) ?? (table && end && typeAtPath(table, end))
    if (there !== undefined && !isExplicit && !fitsIn(transform, there)) {
      const given = `${text} gives ${nameOf(type)}, but the column is ${nameOf(there)}`
      faults.push(
        `transforms.${destination}: ${given}; choose another name, or write {"expr": …, "type": …} to change the column`,
      )
    } else columns = withFieldAt(columns, path, isExplicit ? type : (there ?? type))
  }
  for (const { path } of steps.drop) columns = withoutFieldAt(columns, path) ?? EMPTY
  for (const { from, to } of steps.rename) columns = withFieldMoved(columns, from, to)
  if (faults.length > 0) throw invalidConfigError(faults, prefix)
  return columns
}

/**
 * Returns the schema of rows, given the writer's schema of the messages that they are made from. Results that can never fit
 * a field of the schema leave that field as it is; values decide whether they fit.
 */
export function writerAfter(writer: WriterSchema, shaping: HasTransformationSteps): WriterSchema {
  const { columns, columnFaults = [] } = writer
  return {
    columns: columnsOfRows(columns, shaping),
    columnFaults: columnFaults.flatMap(({ path, message }) => {
      const end = finalPathOf(path, shaping)
      return end === undefined ? [] : [{ path: end, message }]
    }),
  }
}

function columnsOfRows(columns: StructType, shaping: HasTransformationSteps): StructType {
  const { steps } = shaping
  const transforms = steps.transforms.filter((transform) => {
    const there = typeAtPath(columns, transform.path)
    return there === undefined || transform.isExplicit || fitsIn(transform, there)
  })
  return columnsAfter(columns, { steps: { ...steps, transforms } })
}

/** The Kafka timestamp is a number, which a long column of microseconds accepts. */
function fitsIn({ type, text }: CompiledTransform, column: DataType): boolean {
  if (column === 'long' && parseKafkaMetadataField(text)?.kind === 'timestamp') return true
  return type === undefined || isAssignable(type, column)
}

/**
 * Returns the columns of messages, given the columns of the table, for a topic without a contract: with the names
 * before renaming, and without the fields that only transforms add.
 */
export function columnsBefore(schema: StructType, { steps }: HasTransformationSteps): StructType {
  let columns: StructType = schema
  for (const { from, to } of [...steps.rename].reverse()) columns = withFieldMoved(columns, to, from)
  for (const { path } of steps.transforms) columns = withoutFieldAt(columns, path) ?? EMPTY
  return columns
}

/**
 * Returns the columns of messages that rows take values from, given the columns of rows: without the fields that are
 * removed, whose columns rows may have from elsewhere.
 */
export function columnsTaken(schema: StructType, shaping: HasTransformationSteps): StructType {
  let columns = columnsBefore(schema, shaping)
  for (const { path } of shaping.steps.drop) columns = withoutFieldAt(columns, path) ?? EMPTY
  return columns
}

/** Returns the path of a transform result after renaming, or `undefined` when it is dropped. */
export function finalPathOf(
  path: readonly string[],
  { steps }: HasTransformationSteps,
): readonly string[] | undefined {
  if (steps.drop.some((dropped) => isWithinPath(dropped.path, path))) return undefined
  return steps.rename.reduce(
    (at, { from, to }) => (isWithinPath(from, at) ? [...to, ...at.slice(from.length)] : at),
    path,
  )
}

/** Returns for each transform, by its index, whether its result ends in a timestamp column. */
export function timestampTransformsOf(
  schema: StructType,
  transformation: HasTransformationSteps,
): readonly boolean[] {
  return transformation.steps.transforms.map(({ path }) => {
    const end = finalPathOf(path, transformation)
    const type = end === undefined ? undefined : typeAtPath(schema, end)
    return type === 'timestamp'
  })
}

function nameOf(type: DataType): string {
  return typeof type === 'string' ? type : type.type
}

function withFieldAt(schema: StructType, path: readonly string[], type: DataType): StructType {
  const [name = '', ...rest] = path
  const there = findField(schema, name)
  const inner = there?.type
  const below = typeof inner === 'object' && inner.type === 'struct' ? inner : EMPTY
  const made = rest.length === 0 ? type : withFieldAt(below, rest, type)
  const field: StructField = { name: there?.name ?? name, type: made, nullable: true, metadata: {} }
  const fields =
    there === undefined
      ? [...schema.fields, field]
      : schema.fields.map((one) => (one === there ? field : one))
  return { type: 'struct', fields }
}

/** A column keeps its position when only its name changes. */
function withFieldMoved(schema: StructType, from: readonly string[], to: readonly string[]): StructType {
  const type = typeAtPath(schema, from)
  if (type === undefined) return schema
  const [old, name] = [from[0], to[0]]
  const isTop = from.length === 1 && to.length === 1 && name !== undefined
  if (!isTop || findField(schema, name) !== undefined)
    return withFieldAt(withoutFieldAt(schema, from) ?? EMPTY, to, type)
  return {
    type: 'struct',
    fields: schema.fields.map((field) => (field.name === old ? { ...field, name } : field)),
  }
}

/** Returns `undefined` when no field is left. */
function withoutFieldAt(schema: StructType, path: readonly string[]): StructType | undefined {
  const [name = '', ...rest] = path
  const fields = schema.fields.flatMap((field): StructField[] => {
    if (field.name !== name) return [field]
    if (rest.length === 0) return []
    if (typeof field.type === 'string' || field.type.type !== 'struct') return [field]
    const type = withoutFieldAt(field.type, rest)
    return type === undefined ? [] : [{ ...field, type }]
  })
  return fields.length === 0 ? undefined : { type: 'struct', fields }
}
