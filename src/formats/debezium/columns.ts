import type { Contract } from '../../contract/contract.ts'
import { findField, type DataType, type StructField, type StructType } from '../../core/schema.ts'
import type { WriterSchema } from '../format.ts'

/** The column that is true in the rows of deletes. */
export const DEBEZIUM_DELETED_COLUMN = '__deleted'

const LONG_FIELDS = new Set(
  ['ts_ms', 'ts_us', 'ts_ns', 'lsn', 'xmin', 'txId', 'pos', 'row', 'server_id', 'thread'].flatMap((name) => [
    name,
    `source.${name}`,
  ]),
)

/** Returns the column of an event field: `source.ts_ms` → `__source_ts_ms`. */
export function debeziumColumnOf(field: string): string {
  return `__${field.replaceAll('.', '_')}`
}

/** Returns the type of an event field's column: long for the counters that all sources share, otherwise text. */
export function debeziumTypeOf(field: string): DataType {
  return LONG_FIELDS.has(field) ? 'long' : 'string'
}

/** Returns the columns that events have in addition to the columns of their rows. */
export function debeziumColumns(fields: readonly string[]): readonly StructField[] {
  const columns = fields.map((field) => [debeziumColumnOf(field), debeziumTypeOf(field)] as const)
  const all: readonly (readonly [string, DataType])[] = [...columns, [DEBEZIUM_DELETED_COLUMN, 'boolean']]
  return all.map(([name, type]) => ({ name, type, nullable: true, metadata: {} }))
}

/**
 * Returns the schema of the rows in events of the schema `event`: the columns of `after`, or else of `before`, and
 * those of the events. Returns `undefined` when neither of them is a record.
 */
export function debeziumRowSchema(event: WriterSchema, fields: readonly string[]): WriterSchema | undefined {
  const row = SIDES.map((side) => [side, findField(event.columns, side)?.type] as const).find(
    ([, type]) => typeof type === 'object' && type.type === 'struct',
  )
  if (row === undefined) return undefined
  const [side, type] = row as readonly [string, StructType]
  return {
    columns: withEventColumns(type, fields),
    columnFaults: (event.columnFaults ?? []).flatMap(({ path: [first, ...path], message }) =>
      first === side ? [{ path, message }] : [],
    ),
  }
}

const SIDES = ['after', 'before']

/** Returns the columns of a row extended by those of its event. */
export function withEventColumns({ fields: columns }: StructType, fields: readonly string[]): StructType {
  const named = new Set(columns.map(({ name }) => name.toLowerCase()))
  const added = debeziumColumns(fields).filter(({ name }) => !named.has(name.toLowerCase()))
  return { type: 'struct', fields: [...columns, ...added] }
}

/** Returns a contract for rows extended by the columns of their events, which it does not validate. */
export function withDebeziumColumns(contract: Contract, fields: readonly string[]): Contract {
  const schema = withEventColumns(contract.schema, fields)
  const added = schema.fields.slice(contract.schema.fields.length)
  const names = new Set(added.map(({ name }) => name))
  const { plain } = contract
  return {
    ...contract,
    schema,
    plain: plain && {
      ...plain,
      fields: [
        ...plain.fields,
        ...added.map(({ name, type }) => ({ name, type, required: false, nullable: true })),
      ],
    },
    check: (row) =>
      typeof row === 'object' && row !== null
        ? contract.check(Object.fromEntries(Object.entries(row).filter(([name]) => !names.has(name))))
        : contract.check(row),
  }
}
