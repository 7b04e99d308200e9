import { kafkaSource } from '../../config/transforms/expression.ts'
import { fieldNamed, type DataType, type StructField, type StructType } from '../core/schema.ts'
import { configInvalid } from './faults.ts'
import type { CompiledTransform, Transformation } from './transformation.ts'

/** What of a transformation columns follow from. */
type Shaping = Pick<Transformation, 'parts'>
import { canStandIn, typeAt } from './types.ts'

const EMPTY: StructType = { type: 'struct', fields: [] }

/** What columns follow from beside messages and transforms. */
export interface ShapingOptions {
  /** The columns of the table where it is there: what transforms make takes their types. */
  readonly table?: StructType | undefined
  /** Stands before the options in messages. */
  readonly prefix?: string
}

/**
 * The columns of rows, given those of messages: with the fields that transforms make, as far as their types are known,
 * without what is dropped, and renamed. A field that messages or the table have keeps its type unless another is written.
 * @throws KD_CONFIG_INVALID with every transform whose values could never stand where they go
 */
export function columnsAfter(
  schema: StructType,
  shaping: Shaping,
  { table, prefix = '' }: ShapingOptions = {},
): StructType {
  const { parts } = shaping
  const faults: string[] = []
  let columns: StructType = schema
  for (const transform of parts.transforms) {
    const { destination, path, type, isExplicit, text } = transform
    if (type === undefined) continue
    const end = table && finalPath(path, shaping)
    const there = typeAt(schema, path) ?? (table && end && typeAt(table, end))
    if (there !== undefined && !isExplicit && !fitsIn(transform, there)) {
      const given = `${text} gives ${nameOf(type)}, and the column is ${nameOf(there)}`
      faults.push(
        `transforms.${destination}: ${given}; choose another name, or write {"expr": …, "type": …} to change the column`,
      )
    } else columns = placed(columns, path, isExplicit ? type : (there ?? type))
  }
  for (const path of parts.drop) columns = removed(columns, path) ?? EMPTY
  for (const { from, to } of parts.rename) columns = moved(columns, from, to)
  if (faults.length > 0) throw configInvalid(faults, prefix)
  return columns
}

/** The source of the time gives a number, which a column of microseconds takes. */
function fitsIn({ type, text }: CompiledTransform, column: DataType): boolean {
  if (column === 'long' && kafkaSource(text)?.of === 'timestamp') return true
  return type === undefined || canStandIn(type, column)
}

/**
 * The columns of messages, given those of the table, for a topic without a contract: names before they are renamed, and
 * without what only transforms make.
 */
export function columnsBefore(schema: StructType, { parts }: Shaping): StructType {
  let columns: StructType = schema
  for (const { from, to } of [...parts.rename].reverse()) columns = moved(columns, to, from)
  for (const { path } of parts.transforms) columns = removed(columns, path) ?? EMPTY
  return columns
}

/** Where the result of a transform ends, after it is renamed; `undefined` where it is dropped. */
export function finalPath(path: readonly string[], { parts }: Shaping): readonly string[] | undefined {
  if (parts.drop.some((dropped) => startsWith(path, dropped))) return undefined
  return parts.rename.reduce(
    (at, { from, to }) => (startsWith(at, from) ? [...to, ...at.slice(from.length)] : at),
    path,
  )
}

/** Which transforms, by their numbers, end in timestamps of these columns. */
export function instantsOf(schema: StructType, transformation: Shaping): readonly boolean[] {
  return transformation.parts.transforms.map(({ path }) => {
    const end = finalPath(path, transformation)
    const type = end === undefined ? undefined : typeAt(schema, end)
    return type === 'timestamp'
  })
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.length <= path.length && start.every((name, at) => path[at] === name)
}

function nameOf(type: DataType): string {
  return typeof type === 'string' ? type : type.type
}

function placed(schema: StructType, path: readonly string[], type: DataType): StructType {
  const [name = '', ...rest] = path
  const there = fieldNamed(schema, name)
  const inner = there?.type
  const below = typeof inner === 'object' && inner.type === 'struct' ? inner : EMPTY
  const made = rest.length === 0 ? type : placed(below, rest, type)
  const field: StructField = { name: there?.name ?? name, type: made, nullable: true, metadata: {} }
  const fields =
    there === undefined
      ? [...schema.fields, field]
      : schema.fields.map((one) => (one === there ? field : one))
  return { type: 'struct', fields }
}

/** A column keeps its place where only its name changes. */
function moved(schema: StructType, from: readonly string[], to: readonly string[]): StructType {
  const type = typeAt(schema, from)
  if (type === undefined) return schema
  const [old, name] = [from[0], to[0]]
  const isTop = from.length === 1 && to.length === 1 && name !== undefined
  if (!isTop || fieldNamed(schema, name) !== undefined)
    return placed(removed(schema, from) ?? EMPTY, to, type)
  return {
    type: 'struct',
    fields: schema.fields.map((field) => (field.name === old ? { ...field, name } : field)),
  }
}

/** `undefined` where nothing is left. */
function removed(schema: StructType, path: readonly string[]): StructType | undefined {
  const [name = '', ...rest] = path
  const fields = schema.fields.flatMap((field): StructField[] => {
    if (field.name !== name) return [field]
    if (rest.length === 0) return []
    if (typeof field.type === 'string' || field.type.type !== 'struct') return [field]
    const type = removed(field.type, rest)
    return type === undefined ? [] : [{ ...field, type }]
  })
  return fields.length === 0 ? undefined : { type: 'struct', fields }
}
