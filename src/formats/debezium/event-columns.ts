import { isUtf8 } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import { takeRows } from '../../arrow/rows.ts'
import type { Raw } from '../../core/raw.ts'
import type { FormatOptions, ObjectReason, WriterSchema } from '../format.ts'
import { columnReader, type ColumnReader } from '../json/columns.ts'
import { jsonInputOf } from '../json/columns/json-bytes.ts'
import { parseExact } from '../json/exact.ts'
import { hasColumns } from '../writer-schema.ts'
import { columnsWithout, connectReadingOf, type ConnectReading } from './connect-reading.ts'
import {
  EventBatch,
  eventColumnFaults,
  eventColumnNames,
  type EventRows,
  type StateRows,
} from './event-batch.ts'
import { EventScan } from './event-scan.ts'
import { fieldSchemaOf, toConnectSchema, type ConnectSchema } from './values.ts'

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
    this.#names = eventColumnNames(fields)
    this.#reasons = eventColumnFaults(options, fields)
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
    const batch = new EventBatch(this.#options.schema, this.#fields)
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
      if (reader !== own || !batch.append(i, this.#scan)) continue
      state.valueStart[i] = this.#scan.stateStart
      state.valueEnd[i] = this.#scan.stateEnd
      if (reader.rows.read(state, i) === undefined) isRow[i] = 1
      else batch.dropLast()
    }
    return batch.finish(reader && statesOf(reader), isRow, slow)
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

/** Returns the states that a reader has read, converted to the types of their columns; without those that cannot be. */
function statesOf({ rows, reading }: StateReader): StateRows {
  const { rows: read, droppedFields, droppedPaths } = rows.finish()
  const { records } = read
  if (reading === undefined) return { ...read, droppedFields, droppedPaths }
  const suspect = new Uint8Array(records.length)
  const columns = reading.convert(read.columns, suspect)
  if (!suspect.includes(1)) return { columns, records, droppedFields, droppedPaths }
  // The number of dropped fields is known for all rows only.
  if (droppedFields > 0) suspect.fill(1)
  const kept = Int32Array.from(suspect.keys()).filter((row) => suspect[row] === 0)
  return {
    columns: takeRows(columns, kept),
    records: kept.map((row) => records[row] as number),
    droppedFields: 0,
    droppedPaths,
  }
}
