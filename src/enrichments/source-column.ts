import type { Column, Columns } from '../arrow/column.ts'
import type { Rows } from '../arrow/rows.ts'
import type { DataType, StructField, StructType } from '../core/schema.ts'
import { KAFKA_FIELDS, kafkaColumns } from './kafka-columns.ts'

/** The column that another one follows from: a column of the rows, a field of structs in them, or a Kafka column. */
export interface SourceColumn {
  /** Its type where the stream starts. */
  readonly type: DataType
  /** Its values; looked up by name, since columns come and go while a stream runs. `undefined` where the rows have none now. */
  of(rows: Rows): Column | undefined
}

/**
 * Finds the column that a dotted path names: the whole path as one name first, then field by field. The Kafka columns are
 * there even where rows are not given them. `undefined` when there is none.
 */
export function sourceColumn(schema: StructType, path: string): SourceColumn | undefined {
  const names = schema.fields.some(({ name }) => name === path) ? [path] : path.split('.')
  const field = fieldAt(schema, names)
  if (field !== undefined) return { type: field.type, of: (rows) => columnAt(rows.columns, names) }
  const kafka = KAFKA_FIELDS.find(({ name }) => name === path)
  if (kafka === undefined) return undefined
  const columns = kafkaColumns([kafka.name])
  return { type: kafka.type, of: (rows) => columns.columns(rows, () => undefined)[0] }
}

function fieldAt(schema: StructType, names: readonly string[]): StructField | undefined {
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

function columnAt({ schema, columns }: Columns, names: readonly string[]): Column | undefined {
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
