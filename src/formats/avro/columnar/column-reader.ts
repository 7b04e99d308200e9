import { StructBuilder } from '../../../arrow/builder.ts'
import type { Columns } from '../../../arrow/column.ts'
import { DroppedPaths } from '../../../arrow/rows.ts'
import type { FormatOptions, ObjectReason, SlowReason } from '../../format.ts'
import { holdsColumns } from '../../writer-schema.ts'
import { withoutSuspects, type Unsuspected } from '../../suspects.ts'
import type { RecordReader } from '../read.ts'
import { PlanCompiler } from './compile.ts'
import { AvroInput } from './input.ts'
import { refusedPlan, type AvroPlan } from './plan.ts'
import { readValue } from './read-value.ts'
import { ruleProofOf, type RuleProof } from './rules.ts'

/** Limit of the plans that are kept for one set of columns, one per schema of a writer. */
const PLANS_MAX = 100

interface ReaderPlan {
  readonly plan: AvroPlan
  readonly reasons: readonly ObjectReason[]
}

/** Marks where columns ended before records that may have to be dropped again. */
export interface ColumnMark {
  readonly length: number
  readonly dropped: number
}

/** Holds the rows that were read directly, and their fields without a column. */
export interface ReadRows {
  readonly rows: { readonly columns: Columns; readonly records: Int32Array }
  readonly droppedFields: number
  readonly droppedPaths: DroppedPaths
  /** Records whose rows the contract may refuse, ascending; they are in no row. */
  readonly suspects: readonly number[]
}

/**
 * Decodes records of any number of writers from bytes into the same columns. It only accepts: a record that deviates from
 * what the bytes alone prove is left to be read as an object.
 */
export class AvroColumnReader {
  readonly of: FormatOptions
  readonly #builder: StructBuilder
  readonly #input = new AvroInput()
  readonly #plans = new Map<RecordReader, ReaderPlan>()
  readonly #paths: DroppedPaths
  readonly #proof: RuleProof
  #last: { readonly reader: RecordReader; readonly plan: AvroPlan } | undefined
  #records: number[] = []

  constructor(options: FormatOptions) {
    this.of = options
    this.#builder = new StructBuilder(options.schema, options.absentValues)
    this.#paths = new DroppedPaths(options.schema)
    this.#proof = ruleProofOf(options)
  }

  /** Why the last record was not read. */
  get reason(): SlowReason {
    return this.#input.reason
  }

  /** Reads from `bytes` from now on. */
  open(bytes: Uint8Array): void {
    this.#input.open(bytes)
  }

  /**
   * Appends the record at `start` as the row of `record`. It ends at `end` if it is the last one there, otherwise not after
   * it. Returns the position after it, or -1 and appends nothing when it must be read as an object.
   */
  read(reader: RecordReader, start: number, end: number, record: number, isLast: boolean): number {
    const input = this.#input
    const plan = this.#last?.reader === reader ? this.#last.plan : this.#planFor(reader)
    if (plan.kind !== 'record') {
      input.reason = plan.kind === 'refused' ? plan.rules : 'path'
      return -1
    }
    const { length } = this.#builder
    const { dropped } = input
    input.end = end
    input.reason = 'value'
    const at = readValue(input, plan, start)
    if (at < 0 || (isLast && at !== end)) {
      this.#builder.truncate(length)
      this.#forget(dropped)
      return -1
    }
    if (input.firstDropped.length > 0) this.#notePaths()
    this.#records.push(record)
    return at
  }

  mark(): ColumnMark {
    return { length: this.#records.length, dropped: this.#input.dropped }
  }

  /** Drops the rows and counts since `mark`. */
  reset({ length, dropped }: ColumnMark): void {
    this.#builder.truncate(length)
    this.#records.length = length
    this.#input.dropped = dropped
  }

  /** Returns the rows read since the last call, and the number and names of their fields without a column. */
  finish(): ReadRows {
    const { columns, records, suspects } = this.#checked(
      this.#builder.finishColumns(),
      Int32Array.from(this.#records),
    )
    const droppedFields = this.#input.dropped
    this.#records = []
    this.#input.dropped = 0
    // The bytes of a batch are not kept alive.
    this.#input.open(NO_BYTES)
    return { rows: { columns, records }, droppedFields, droppedPaths: this.#paths, suspects }
  }

  #checked(columns: Columns, records: Int32Array): Unsuspected {
    if (!this.#proof.isNeeded || this.#proof.check === undefined || records.length === 0)
      return { columns, records, suspects: [] }
    const suspect = new Uint8Array(records.length)
    this.#proof.check(columns, suspect)
    return withoutSuspects(columns, records, suspect)
  }

  /** Returns why records of the readers need objects. */
  reasons(readers: Iterable<RecordReader>): readonly ObjectReason[] {
    for (const reader of readers) this.#planFor(reader)
    return [...this.#plans.values()].flatMap(({ reasons }) => reasons)
  }

  #planFor(reader: RecordReader): AvroPlan {
    let found = this.#plans.get(reader)
    if (found === undefined) {
      found = this.#compile(reader)
      const [oldest] = this.#plans.keys()
      if (this.#plans.size >= PLANS_MAX && oldest !== undefined) this.#plans.delete(oldest)
      this.#plans.set(reader, found)
    }
    this.#last = { reader, plan: found.plan }
    return found.plan
  }

  #compile({ schemas, writer }: RecordReader): ReaderPlan {
    const { plain, schema, unknownFields } = this.of
    if (plain === undefined) return refused('path', 'contract', 'the contract has no plain form')
    if (schemas === undefined) return { plan: refusedPlan('path'), reasons: [] }
    if (unknownFields === 'leave' && writer !== undefined && !holdsColumns(schema, writer.columns))
      return refused(
        'schema',
        'columns',
        "the table lacks columns of the writer's schema, or has other types",
      )
    const proof = this.#proof
    if (proof.isNeeded && proof.check === undefined)
      return refused('path', 'contract', 'the contract has rules that only objects can be checked by')
    const compiler = new PlanCompiler(this.of, schemas.isIngest, proof.isNeeded)
    return { plan: compiler.rows(schemas, this.#builder), reasons: compiler.reasons }
  }

  #forget(dropped: number): void {
    const { firstDropped } = this.#input
    this.#input.dropped = dropped
    for (const fields of firstDropped) fields.isNoted = false
    firstDropped.length = 0
  }

  #notePaths(): void {
    const { firstDropped } = this.#input
    for (const { path } of firstDropped) this.#paths.add(path)
    firstDropped.length = 0
  }
}

const NO_BYTES = new Uint8Array(0)

function refused(kind: SlowReason, subject: string, reason: string): ReaderPlan {
  return { plan: refusedPlan(kind), reasons: [{ subject, reason }] }
}
