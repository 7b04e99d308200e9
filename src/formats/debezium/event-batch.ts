import { StructBuilder } from '../../arrow/builder.ts'
import type { BytesBuilder } from '../../arrow/bytes-builder.ts'
import type { Column, Columns } from '../../arrow/column.ts'
import type { FixedBuilder } from '../../arrow/fixed-builder.ts'
import { DroppedPaths, emptyRows, takeRows } from '../../arrow/rows.ts'
import type { StructField, StructType } from '../../core/schema.ts'
import type { FormatOptions, ObjectReason } from '../format.ts'
import { debeziumColumnOf, DEBEZIUM_DELETED_COLUMN } from './columns.ts'

/** Builds the column of an event field: text, or a long. */
export type FieldBuilder = BytesBuilder | FixedBuilder

/** Holds the rows of a batch that were read from bytes. */
export interface EventRows extends StateRows {
  /** 1 for each record that became a row. */
  readonly isRow: Uint8Array
  /** The records that did not, by reason, as far as another one than `value` is known. */
  readonly slow: { readonly path: number; readonly schema: number }
}

/** Holds the states of rows that were read from the events of a batch; `records` ascending. */
export interface StateRows {
  readonly columns: Columns
  readonly records: Int32Array
  readonly droppedFields: number
  readonly droppedPaths: DroppedPaths
}

/** Gives the fields of one event. */
export interface EventFields {
  readonly isDelete: boolean
  /** Appends field `index`; returns undefined for null and absent fields, and false for unusual values, and appends nothing then. */
  appendField(builder: FieldBuilder, index: number): boolean | undefined
}

/** Returns the names of the columns of event fields. */
export function eventColumnNames(fields: readonly string[]): ReadonlySet<string> {
  return new Set([...fields.map(debeziumColumnOf), DEBEZIUM_DELETED_COLUMN])
}

/** Returns why events cannot be read from bytes into these columns. */
export function eventColumnFaults(
  { schema, plain }: FormatOptions,
  fields: readonly string[],
): readonly ObjectReason[] {
  if (plain === undefined) return [{ subject: 'contract', reason: 'a rule of the contract needs objects' }]
  const names = eventColumnNames(fields)
  if (names.size <= fields.length)
    return [{ subject: 'debezium.fields', reason: 'two of them have the same column' }]
  return [...names].flatMap((name): ObjectReason[] => {
    const type = schema.fields.find((field) => field.name === name)?.type
    const isFitting =
      name === DEBEZIUM_DELETED_COLUMN ? type === 'boolean' : type === 'string' || type === 'long'
    if (isFitting) return []
    const found = type === undefined ? 'is not a column' : `has type ${JSON.stringify(type)}`
    return [{ subject: `columns.${name}`, reason: `the column of an event field ${found}` }]
  })
}

/** Collects the columns of event fields for the rows of one batch. */
export class EventBatch {
  readonly #schema: StructType
  readonly #names: ReadonlySet<string>
  readonly #columns: StructBuilder
  readonly #builders: readonly FieldBuilder[]
  readonly #deleted: FixedBuilder
  readonly #isNullable: readonly boolean[]
  readonly #records: number[] = []

  constructor(schema: StructType, fields: readonly string[]) {
    this.#schema = schema
    this.#names = eventColumnNames(fields)
    const own = schema.fields.filter(({ name }) => this.#names.has(name))
    this.#columns = new StructBuilder({ type: 'struct', fields: own })
    const builderOf = (name: string): FieldBuilder =>
      this.#columns.children[own.findIndex((field) => field.name === name)] as FieldBuilder
    this.#builders = fields.map((field) => builderOf(debeziumColumnOf(field)))
    this.#deleted = builderOf(DEBEZIUM_DELETED_COLUMN) as FixedBuilder
    this.#isNullable = fields.map(
      (field) => own.find(({ name }) => name === debeziumColumnOf(field))?.nullable === true,
    )
  }

  /** Appends the fields of the event of a record. Returns false and appends nothing when one of them is unusual. */
  append(record: number, event: EventFields): boolean {
    const { length } = this.#columns
    for (let index = 0; index < this.#builders.length; index++) {
      const builder = this.#builders[index] as FieldBuilder
      const found = event.appendField(builder, index)
      if (found === true) continue
      if (found === undefined && this.#isNullable[index] === true) builder.appendNull()
      else {
        this.#columns.truncate(length)
        return false
      }
    }
    this.#deleted.appendNumber(event.isDelete ? 1 : 0)
    this.#columns.endCompleteRow()
    this.#records.push(record)
    return true
  }

  dropLast(): void {
    this.#records.pop()
    this.#columns.truncate(this.#columns.length - 1)
  }

  /**
   * Joins the fields with the states of their rows. Rows without a state are left, and their records are no rows. Returns
   * `undefined` when the batch has to be decoded as objects.
   */
  finish(states: StateRows | undefined, isRow: Uint8Array, slow: EventRows['slow']): EventRows | undefined {
    if (states === undefined) {
      const rows = emptyRows(this.#schema)
      return { ...rows, isRow, slow, droppedFields: 0, droppedPaths: new DroppedPaths(this.#schema) }
    }
    // A field of a row that is named like a column of its event is replaced by it, and not dropped.
    const { paths, hasMore } = states.droppedPaths
    if (hasMore || [...this.#names].some((name) => paths.has(name.toLowerCase()))) return undefined
    const events = this.#eventsOf(states.records, isRow)
    const columns = {
      schema: this.#schema,
      length: states.records.length,
      columns: this.#schema.fields.map((field) => columnOf(field, events, states.columns)),
    }
    return { ...states, columns, isRow, slow }
  }

  #eventsOf(records: Int32Array, isRow: Uint8Array): Columns {
    const all = this.#columns.finishColumns()
    if (records.length === this.#records.length) return all
    const kept = new Int32Array(records.length)
    let at = 0
    for (const [row, record] of this.#records.entries())
      if (records[at] === record) kept[at++] = row
      else isRow[record] = 0
    return takeRows(all, kept)
  }
}

function columnOf({ name }: StructField, events: Columns, state: Columns): Column {
  for (const { schema, columns } of [events, state]) {
    const index = schema.fields.findIndex((field) => field.name === name)
    if (index >= 0) return columns[index] as Column
  }
  throw new Error(`Broken invariant: no column ${name}`)
}
