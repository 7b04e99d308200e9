import type { Contract } from '../../contract/contract.ts'
import type { DataType, StructField } from '../../core/schema.ts'

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

/** Returns a contract for rows extended by the columns of their events, which it does not validate. */
export function withDebeziumColumns(contract: Contract, fields: readonly string[]): Contract {
  const named = new Set(contract.schema.fields.map(({ name }) => name.toLowerCase()))
  const added = debeziumColumns(fields).filter(({ name }) => !named.has(name.toLowerCase()))
  const names = new Set(added.map(({ name }) => name))
  return {
    ...contract,
    schema: { type: 'struct', fields: [...contract.schema.fields, ...added] },
    // Events are decoded into objects, never from bytes into columns.
    plain: undefined,
    check: (row) =>
      typeof row === 'object' && row !== null
        ? contract.check(Object.fromEntries(Object.entries(row).filter(([name]) => !names.has(name))))
        : contract.check(row),
  }
}
