import { builderOf, StructBuilder } from '../arrow/builder.ts'
import type { Column, Columns } from '../arrow/column.ts'
import type { Row, Rows } from '../arrow/rows.ts'
import { PipelineError } from '../core/errors.ts'
import type { DataType, StructField } from '../core/schema.ts'
import type { RowSchema } from './row-types.ts'

/**
 * Returns a column of values, in their order: numbers, text, `Date`, `bigint`, `Uint8Array`, arrays and objects as operators may
 * return them; null and undefined are null.
 * @throws KD_OPERATOR_INVALID with the index of the first value that does not fit the type
 */
export function columnOf(type: DataType, values: Iterable<unknown>): Column {
  const builder = builderOf(type)
  for (const value of values) {
    const index = builder.length
    const fault = builder.append(value)
    if (fault !== undefined) throw invalidValue(index, fault)
  }
  return builder.finish()
}

/**
 * Returns the columns of rows that are objects, in their order.
 * @throws KD_OPERATOR_INVALID with the index of the first row that does not fit the schema
 */
export function columnsOf<Out extends object = Row, In extends object = Row>(
  schema: RowSchema<Out, In>,
  rows: Iterable<NoInfer<In>>,
): Columns {
  const builder = new StructBuilder(schema)
  for (const row of rows as Iterable<unknown>) {
    const index = builder.length
    const isAbsent = row === null || row === undefined
    const fault = isAbsent ? `expected an object, got ${String(row)}` : builder.append(row)
    if (fault !== undefined) throw invalidValue(index, fault)
  }
  return builder.finishColumns()
}

/**
 * Returns `rows` with the columns of `schema` in place of theirs: row `i` still comes from the same record. `columns` has a
 * column of the right type and with a value for each row under the name of each field.
 * @throws KD_OPERATOR_INVALID for a column that is missing, of another type or length, or null where the schema forbids it
 */
export function rowsWith<Out extends object>(
  rows: Rows<object>,
  schema: RowSchema<Out, object>,
  columns: { readonly [K in keyof Out]: Column },
): Rows<Out> {
  const given = columns as Readonly<Record<string, Column | undefined>>
  const { length } = rows.records
  const ordered = schema.fields.map((field) => {
    const column = Object.hasOwn(given, field.name) ? given[field.name] : undefined
    return checkedColumn(field, column, length)
  })
  return { ...rows, columns: { schema, length, columns: ordered } } as Rows<Out>
}

function checkedColumn(field: StructField, column: Column | undefined, length: number): Column {
  const fault = columnFault(field, column, length)
  if (column === undefined || fault !== undefined)
    throw new PipelineError('KD_OPERATOR_INVALID', `column ${field.name}: ${fault ?? 'is missing'}`)
  return column
}

function columnFault(field: StructField, column: Column | undefined, length: number): string | undefined {
  if (column === undefined) return 'is missing'
  if (column.length !== length) return `expected ${length} values, one for each row, got ${column.length}`
  if (JSON.stringify(column.type) !== JSON.stringify(field.type))
    return `expected the type ${textOf(field.type)}, got ${textOf(column.type)}`
  const nullAt = field.nullable ? -1 : (column.valid?.indexOf(0) ?? -1)
  return nullAt < 0 ? undefined : `expected a value, got null at index ${nullAt}`
}

function textOf(type: DataType): string {
  return typeof type === 'string' ? type : JSON.stringify(type)
}

function invalidValue(index: number, fault: string): PipelineError {
  return new PipelineError('KD_OPERATOR_INVALID', `value ${index}: ${fault}`)
}
