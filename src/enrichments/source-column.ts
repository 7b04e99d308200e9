import { parsePath } from '../../config/transforms/path.ts'
import type { Column, Columns } from '../arrow/column.ts'
import type { Rows } from '../arrow/rows.ts'
import type { DataType, StructField, StructType } from '../core/schema.ts'
import { KAFKA_FIELDS, kafkaColumns } from './kafka-columns.ts'

/** Describes the source of a derived column: a column of the rows, a struct field in them, or a Kafka column. */
export interface SourceColumn {
  /** The type when the stream starts. */
  readonly type: DataType
  /**
   * Returns the values. The column is looked up by name, because columns may change while a stream runs; `undefined`
   * when the rows do not have it now.
   */
  columnOf(rows: Rows): Column | undefined
}

/**
 * Finds the column that a path names: first the whole path as one name, then field by field, as `parsePath` reads it.
 * Kafka columns are found even when rows do not include them. Returns `undefined` when there is no such column.
 */
export function findSourceColumn(schema: StructType, path: string): SourceColumn | undefined {
  const names = sourceNamesOf(schema, path)
  const field = fieldAtPath(schema, names)
  if (field !== undefined) return { type: field.type, columnOf: (rows) => columnAtPath(rows.columns, names) }
  const kafka = KAFKA_FIELDS.find(({ name }) => name === path)
  if (kafka === undefined) return undefined
  const columns = kafkaColumns([kafka.name])
  return { type: kafka.type, columnOf: (rows) => columns.columns(rows, () => undefined)[0] }
}

/** Returns the names of the column and of the struct fields in it that a path leads to. */
function sourceNamesOf(schema: StructType, path: string): readonly string[] {
  if (schema.fields.some(({ name }) => name === path)) return [path]
  const parsed = parsePath(path)
  return 'names' in parsed ? parsed.names : [path]
}

function fieldAtPath(schema: StructType, names: readonly string[]): StructField | undefined {
  let type: DataType = schema
  let found: StructField | undefined
  for (const name of names) {
    if (typeof type === 'string' || type.type !== 'struct') return undefined
    found = type.fields.find((field) => field.name === name)
    if (found === undefined) return undefined
    type = found.type
  }
  return found
}

function columnAtPath({ schema, columns }: Columns, names: readonly string[]): Column | undefined {
  let fields: readonly StructField[] = schema.fields
  let children: readonly Column[] = columns
  let found: Column | undefined
  for (const name of names) {
    found = children[fields.findIndex((field) => field.name === name)]
    if (found === undefined) return undefined
    children = found.kind === 'struct' ? found.children : []
    fields = typeof found.type !== 'string' && found.type.type === 'struct' ? found.type.fields : []
  }
  return found
}
