import type { Raw } from '../../core/raw.ts'
import { avroWriterSchema } from '../avro/columns.ts'
import { AvroColumnReader } from '../avro/columnar/column-reader.ts'
import { AvroInput } from '../avro/columnar/input.ts'
import { writtenRecords, type AvroFraming, type Located } from '../avro/format.ts'
import type { RecordReader } from '../avro/read.ts'
import type { FormatOptions, ObjectReason } from '../format.ts'
import { AvroEventScan, eventPlanOf, type EventPlan } from './avro-scan.ts'
import { columnsWithout } from './connect-reading.ts'
import { EventBatch, eventColumnFaults, eventColumnNames, type EventRows } from './event-batch.ts'

/** Limit of the schemas whose plans are kept. */
const PLANS_MAX = 100

/** Describes the events of one schema: their parts, and the reader of their rows. */
interface PlannedEvents {
  readonly plan: EventPlan
  readonly rows: RecordReader
}

/** Reads the rows of Debezium events in Avro from bytes into columns. It belongs to one version of the columns. */
export class AvroEventColumns {
  readonly #options: FormatOptions
  readonly #fields: readonly string[]
  readonly #framing: AvroFraming
  readonly #input = new AvroInput()
  readonly #scan = new AvroEventScan(this.#input)
  readonly #states: AvroColumnReader
  readonly #faults: readonly ObjectReason[]
  readonly #plans = new Map<RecordReader, PlannedEvents | ObjectReason>()

  /** Prepares to read events into the columns of `options`. */
  constructor(options: FormatOptions, fields: readonly string[], framing: AvroFraming) {
    this.#options = options
    this.#fields = fields
    this.#framing = framing
    this.#faults = eventColumnFaults(options, fields)
    const names = eventColumnNames(fields)
    const { schema, plain } = options
    this.#states = new AvroColumnReader({
      ...options,
      schema: columnsWithout(schema, names),
      plain: plain && { ...plain, fields: plain.fields.filter(({ name }) => !names.has(name)) },
    })
  }

  /** Says why rows cannot be read from bytes. */
  get reasons(): readonly ObjectReason[] {
    if (this.#faults.length > 0) return this.#faults
    for (const reader of this.#framing.readers) this.#plannedFor(reader)
    const planned = [...this.#plans.values()]
    const rows = planned.flatMap((each) => ('plan' in each ? [each.rows] : []))
    return [...planned.flatMap((each) => ('plan' in each ? [] : [each])), ...this.#states.reasons(rows)]
  }

  /** Reads the events that are plain enough; the others are left. */
  read(raw: Raw): EventRows | undefined {
    if (this.#faults.length > 0 || raw.parts !== undefined) return undefined
    const batch = new EventBatch(this.#options.schema, this.#fields)
    const located: Located = { reader: undefined, start: 0 }
    const isRow = new Uint8Array(raw.count)
    const slow = { path: 0, schema: 0 }
    this.#input.open(raw.bytes)
    this.#states.open(raw.bytes)
    for (let i = 0; i < raw.count; i++) {
      if ((raw.valueStart[i] as number) < 0) continue
      this.#framing.locate(raw, i, located)
      const { reader, start } = located
      if (reader === undefined) continue
      const planned = this.#plannedFor(reader)
      if (!('plan' in planned)) {
        slow.path++
        continue
      }
      if (!this.#scan.find(planned.plan, start, raw.valueEnd[i] as number)) continue
      if (!batch.append(i, this.#scan)) continue
      const { stateStart, stateEnd } = this.#scan
      if (this.#states.read(planned.rows, stateStart, stateEnd, i, true) >= 0) isRow[i] = 1
      else {
        batch.dropLast()
        const { reason } = this.#states
        if (reason === 'path' || reason === 'schema') slow[reason]++
      }
    }
    this.#input.open(NO_BYTES)
    const { rows, droppedFields, droppedPaths } = this.#states.finish()
    return batch.finish({ ...rows, droppedFields, droppedPaths }, isRow, slow)
  }

  #plannedFor(reader: RecordReader): PlannedEvents | ObjectReason {
    let found = this.#plans.get(reader)
    if (found === undefined) {
      found = this.#planOf(reader)
      const [oldest] = this.#plans.keys()
      if (this.#plans.size >= PLANS_MAX && oldest !== undefined) this.#plans.delete(oldest)
      this.#plans.set(reader, found)
    }
    return found
  }

  #planOf({ schemas }: RecordReader): PlannedEvents | ObjectReason {
    if (schemas === undefined || schemas.isIngest || schemas.reader !== schemas.writer)
      return { subject: 'avro.readerSchema', reason: 'events are resolved to it as objects' }
    const plan = eventPlanOf(schemas.writer, this.#fields)
    if (!('row' in plan)) return plan
    return { plan, rows: { ...writtenRecords(plan.row), writer: avroWriterSchema(plan.row) } }
  }
}

const NO_BYTES = new Uint8Array(0)
