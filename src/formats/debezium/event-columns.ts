import { isUtf8 } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import { StructBuilder } from '../../arrow/builder.ts'
import type { BytesBuilder } from '../../arrow/bytes-builder.ts'
import type { Column, Columns } from '../../arrow/column.ts'
import type { FixedBuilder } from '../../arrow/fixed-builder.ts'
import { DroppedPaths, emptyRows, takeRows } from '../../arrow/rows.ts'
import type { Raw } from '../../core/raw.ts'
import type { StructField, StructType } from '../../core/schema.ts'
import type { FormatOptions, ObjectReason, WriterSchema } from '../format.ts'
import { columnReader, type ColumnReader } from '../json/columns.ts'
import { parseExact } from '../json/exact.ts'
import { jsonInputOf, type JsonInput } from '../json/columns/json-bytes.ts'
import { debeziumColumnOf, DEBEZIUM_DELETED_COLUMN } from './columns.ts'
import { hasColumns } from '../writer-schema.ts'
import { columnsWithout, connectReadingOf, type ConnectReading } from './connect-reading.ts'
import { readEventField, type FieldBuilder } from './event-fields.ts'
import { EventScan } from './event-scan.ts'
import { fieldSchemaOf, toConnectSchema, type ConnectSchema } from './values.ts'

/** Holds the rows of a batch that were read from bytes. */
export interface EventRows {
  readonly columns: Columns
  readonly records: Int32Array
  /** 1 for each record that became a row. */
  readonly isRow: Uint8Array
  /** The records that did not, by reason, as far as another one than `value` is known. */
  readonly slow: { readonly path: number; readonly schema: number }
  readonly droppedFields: number
  readonly droppedPaths: DroppedPaths
}

/** Returns the schema of the rows of an embedded schema. */
type RowSchemaOf = (embedded: ConnectSchema | undefined) => WriterSchema | undefined

/** Reads the rows of Debezium events in JSON from bytes into columns. It belongs to one version of the columns. */
export class EventColumns {
  readonly #options: FormatOptions
  readonly #fields: readonly string[]
  readonly #rowSchemaOf: RowSchemaOf
  readonly #scan: EventScan
  readonly #names: ReadonlySet<string>
  readonly #reasons: readonly ObjectReason[]
  /** Reads rows whose events embed no schema. */
  #unschemed: StateReader | 'path' | 'schema' = 'path'
  /** Reads rows by the schema that their events embed; undefined for schemas that need objects. */
  readonly #embedded = new WeakMap<Uint8Array, StateReaders>()

  /** Prepares to read events into the columns of `options`. */
  constructor(options: FormatOptions, fields: readonly string[], rowSchemaOf: RowSchemaOf) {
    this.#options = options
    this.#fields = fields
    this.#rowSchemaOf = rowSchemaOf
    this.#scan = new EventScan(fields)
    this.#names = new Set([...fields.map(debeziumColumnOf), DEBEZIUM_DELETED_COLUMN])
    this.#reasons = reasonsOf(options, this.#names, fields.length)
    if (this.#reasons.length === 0) this.#unschemed = this.#readerOf()
  }

  /** Says why rows cannot be read from bytes. */
  get reasons(): readonly ObjectReason[] {
    if (this.#reasons.length > 0 || this.#unschemed !== 'path') return this.#reasons
    return [{ subject: 'columns', reason: 'a type or a rule of the contract needs objects' }]
  }

  /** Reads the events that are plain enough; the others are left. */
  read(raw: Raw): EventRows | undefined {
    if (this.#reasons.length > 0 || raw.parts !== undefined || !isUtf8(raw.bytes)) return undefined
    const input = jsonInputOf(raw.bytes)
    const state = { ...raw, valueStart: new Int32Array(raw.count), valueEnd: new Int32Array(raw.count) }
    const batch = new EventBatch(this.#options.schema, this.#fields, this.#names)
    const isRow = new Uint8Array(raw.count)
    const slow = { path: 0, schema: 0 }
    let reader: StateReader | undefined
    for (let i = 0; i < raw.count; i++) {
      const start = raw.valueStart[i] as number
      if (start < 0 || !this.#scan.find(input, start, raw.valueEnd[i] as number)) continue
      // All rows of a batch are read in one way: another schema begins with a later batch.
      const own = this.#readerFor(this.#scan)
      if (own === 'path' || own === 'schema') {
        slow[own]++
        continue
      }
      reader ??= own
      if (reader !== own) continue
      if (!batch.appendEvent(input, this.#scan)) continue
      state.valueStart[i] = this.#scan.stateStart
      state.valueEnd[i] = this.#scan.stateEnd
      if (reader.rows.read(state, i) === undefined) isRow[i] = 1
      else batch.dropLast()
    }
    const rows = { ...batch.finish(reader, isRow), slow }
    // A field of a row that is named like a column of its event is replaced by it, and not dropped.
    const { paths, hasMore } = rows.droppedPaths
    return hasMore || [...this.#names].some((name) => paths.has(name.toLowerCase())) ? undefined : rows
  }

  #readerFor({ schema, isDelete }: EventScan): StateReader | 'path' | 'schema' {
    if (schema === undefined) return this.#unschemed
    let known = this.#embedded.get(schema)
    if (known === undefined) this.#embedded.set(schema, (known = this.#readersOf(parsedSchema(schema))))
    return isDelete ? known.before : known.after
  }

  /** The schemas of both sides are nearly always equal, and their rows are then read in one way. */
  #readersOf(embedded: ConnectSchema | undefined): StateReaders {
    const [before, after] = ['before', 'after'].map((side) => fieldSchemaOf(embedded, side))
    if (after === undefined || before === undefined) return { before: 'path', after: 'path' }
    const reader = this.#readerOf(embedded, after)
    const isSame = isDeepStrictEqual({ ...before, field: 'after' }, { ...after })
    return { after: reader, before: isSame ? reader : 'path' }
  }

  #readerOf(embedded?: ConnectSchema, state?: ConnectSchema): StateReader | 'path' | 'schema' {
    const { schema, plain } = this.#options
    if (plain === undefined) return 'path'
    const stateSchema = columnsWithout(schema, this.#names)
    const statePlain = { ...plain, fields: plain.fields.filter(({ name }) => !this.#names.has(name)) }
    if (state !== undefined && !this.#hasColumnsOf(embedded)) return 'schema'
    const reading = state === undefined ? undefined : connectReadingOf(state, stateSchema, statePlain)
    if (reading !== undefined && 'unreadable' in reading) return 'path'
    const columns = { schema: reading?.schema ?? stateSchema, plain: reading?.plain ?? statePlain }
    const rows = columnReader({ ...this.#options, ...columns })
    return 'read' in rows ? { rows, reading } : 'path'
  }

  /** Columns that an embedded schema adds are learnt from objects. */
  #hasColumnsOf(embedded: ConnectSchema | undefined): boolean {
    if (this.#options.unknownFields !== 'leave') return true
    const writer = this.#rowSchemaOf(embedded)
    return writer === undefined || hasColumns(this.#options.schema, writer.columns)
  }
}

/** Reads the rows in events of one embedded schema, or of none. */
interface StateReader {
  readonly rows: ColumnReader
  readonly reading: ConnectReading | undefined
}

/** Reads the rows of deletes and of all other events; or says why they need objects. */
interface StateReaders {
  readonly before: StateReader | 'path' | 'schema'
  readonly after: StateReader | 'path' | 'schema'
}

function parsedSchema(bytes: Uint8Array): ConnectSchema | undefined {
  try {
    return toConnectSchema(parseExact(Buffer.from(bytes).toString('utf8')))
  } catch {
    // The object way says what is wrong with it.
    return undefined
  }
}

function reasonsOf(
  { schema, plain }: FormatOptions,
  names: ReadonlySet<string>,
  fieldCount: number,
): readonly ObjectReason[] {
  if (plain === undefined) return [{ subject: 'contract', reason: 'a rule of the contract needs objects' }]
  if (names.size <= fieldCount)
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
class EventBatch {
  readonly #schema: StructType
  readonly #columns: StructBuilder
  readonly #builders: readonly FieldBuilder[]
  readonly #deleted: FixedBuilder
  readonly #isNullable: readonly boolean[]

  constructor(schema: StructType, fields: readonly string[], names: ReadonlySet<string>) {
    this.#schema = schema
    const own = schema.fields.filter(({ name }) => names.has(name))
    this.#columns = new StructBuilder({ type: 'struct', fields: own })
    const builderOf = (name: string): BytesBuilder | FixedBuilder =>
      this.#columns.children[own.findIndex((field) => field.name === name)] as BytesBuilder | FixedBuilder
    this.#builders = fields.map((field) => builderOf(debeziumColumnOf(field)))
    this.#deleted = builderOf(DEBEZIUM_DELETED_COLUMN) as FixedBuilder
    this.#isNullable = fields.map(
      (field) => own.find(({ name }) => name === debeziumColumnOf(field))?.nullable === true,
    )
  }

  /** Appends the fields of an event. Returns false and appends nothing when one of them is unusual. */
  appendEvent(input: JsonInput, scan: EventScan): boolean {
    const { bytes } = input
    const { length } = this.#columns
    for (let index = 0; index < this.#builders.length; index++) {
      const builder = this.#builders[index] as FieldBuilder
      const at = scan.fieldStart(bytes, index)
      if (at < 0 ? this.#isNullable[index] === true : readEventField(input, builder, at)) {
        if (at < 0) builder.appendNull()
        continue
      }
      this.#columns.truncate(length)
      return false
    }
    this.#deleted.appendNumber(scan.isDelete ? 1 : 0)
    this.#columns.endCompleteRow()
    return true
  }

  dropLast(): void {
    this.#columns.truncate(this.#columns.length - 1)
  }

  finish(reader: StateReader | undefined, isRow: Uint8Array): Omit<EventRows, 'slow'> {
    if (reader === undefined) {
      const { columns, records } = emptyRows(this.#schema)
      return { columns, records, isRow, droppedFields: 0, droppedPaths: new DroppedPaths(this.#schema) }
    }
    const { rows, reading } = reader
    const { rows: read, droppedFields, droppedPaths } = rows.finish()
    const events = this.#columns.finishColumns()
    const suspect = new Uint8Array(read.columns.length)
    const state = reading?.convert(read.columns, suspect) ?? read.columns
    const columns = {
      schema: this.#schema,
      length: state.length,
      columns: this.#schema.fields.map((field) => columnOf(field, events, state)),
    }
    const all = { columns, records: read.records, isRow, droppedFields, droppedPaths }
    return suspect.includes(1) ? withoutSuspectRows(all, suspect) : all
  }
}

function columnOf({ name }: StructField, events: Columns, state: Columns): Column {
  for (const { schema, columns } of [events, state]) {
    const index = schema.fields.findIndex((field) => field.name === name)
    if (index >= 0) return columns[index] as Column
  }
  throw new Error(`Broken invariant: no column ${name}`)
}

/** Leaves the suspect rows; all rows when fields were dropped, since their number is known for all rows only. */
function withoutSuspectRows(rows: Omit<EventRows, 'slow'>, suspect: Uint8Array): Omit<EventRows, 'slow'> {
  if (rows.droppedFields > 0) suspect.fill(1)
  const kept = Int32Array.from(suspect.keys()).filter((row) => suspect[row] === 0)
  for (const [row, record] of rows.records.entries()) if (suspect[row] === 1) rows.isRow[record] = 0
  return {
    ...rows,
    droppedFields: 0,
    columns: takeRows(rows.columns, kept),
    records: kept.map((row) => rows.records[row] as number),
  }
}
