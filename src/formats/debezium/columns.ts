import type { Contract } from '../../contract/contract.ts'
import type { DataType, StructField } from '../../core/schema.ts'

/** True in the rows of deletes. */
export const DELETED = '__deleted'

const LONGS = new Set(
  ['ts_ms', 'ts_us', 'ts_ns', 'lsn', 'xmin', 'txId', 'pos', 'row', 'server_id', 'thread'].flatMap((name) => [
    name,
    `source.${name}`,
  ]),
)

/** The column of a field of an event: `source.ts_ms` is `__source_ts_ms`. */
export function columnOf(field: string): string {
  return `__${field.replaceAll('.', '_')}`
}

/** The type of that column. Numbers that every source counts with are long; anything else is text. */
export function typeOfField(field: string): DataType {
  return LONGS.has(field) ? 'long' : 'string'
}

/** The columns that events have beside those of their rows. */
export function eventColumns(fields: readonly string[]): readonly StructField[] {
  const columns = fields.map((field) => [columnOf(field), typeOfField(field)] as const)
  const all: readonly (readonly [string, DataType])[] = [...columns, [DELETED, 'boolean']]
  return all.map(([name, type]) => ({ name, type, nullable: true, metadata: {} }))
}

/** A contract for rows, with the columns of their events beside them, of which it says nothing. */
export function withEventColumns(contract: Contract, fields: readonly string[]): Contract {
  const named = new Set(contract.schema.fields.map(({ name }) => name.toLowerCase()))
  const added = eventColumns(fields).filter(({ name }) => !named.has(name.toLowerCase()))
  const names = new Set(added.map(({ name }) => name))
  return {
    ...contract,
    schema: { type: 'struct', fields: [...contract.schema.fields, ...added] },
    // Events come as objects, never straight from bytes.
    plain: undefined,
    check: (row) =>
      typeof row === 'object' && row !== null
        ? contract.check(Object.fromEntries(Object.entries(row).filter(([name]) => !names.has(name))))
        : contract.check(row),
  }
}
