import type { Contract } from '../contract/contract.ts'
import { checkCompatible } from '../contract/compatible.ts'
import { typeOfValue, uniteStructs } from '../contract/columns/infer.ts'
import type { PlainContract } from '../contract/columns/plain.ts'
import type { AbsentValues } from '../arrow/builder.ts'
import { canCast } from '../arrow/cast.ts'
import type { Clock } from '../core/clock.ts'
import type { DeadLetterReason } from '../core/batch.ts'
import { messageOf, PipelineError } from '../core/errors.ts'
import type { Raw } from '../core/raw.ts'
import { fieldNamed, type StructField, type StructType } from '../core/schema.ts'
import { absentValues } from '../delta/constraints/defaults.ts'
import { evolve } from '../delta/schema/evolve.ts'
import { layoutOf, type Layout } from '../delta/files/layout.ts'
import type { TableWriter } from '../delta/commit/table-writer.ts'
import type { TableShape } from '../delta/protocol/table-shape.ts'
import { fit, type Fitted } from './fit.ts'
import type { Coerce } from './ingest-values.ts'
import { knownColumns } from './known.ts'
import { fieldCount, learn } from './learn.ts'
import { nullFaults } from './nulls.ts'
import { plainColumns } from './plain.ts'
import { LEARNED_MAX, RESCUED_DATA, type SchemaEvolution } from './policy.ts'

/** What the columns of a topic's rows are made of. */
export interface RowColumnsParts {
  readonly topic: string
  readonly contract: Contract
  /** Whether the contract was written; one that is taken from the table follows it. */
  readonly written: boolean
  /** Columns beside those of the table where no contract was written; added to the table as those of a contract are. */
  readonly declared?: StructType | undefined
  readonly table: Pick<TableWriter, 'shape' | 'uri'>
  /** Columns that the pipeline adds to every row. */
  readonly added: readonly StructField[]
  readonly policy: SchemaEvolution
  /** Reads values more freely than builders do; as they are by default. */
  readonly coerce?: Coerce | undefined
  /** Answers defaults that ask for the time. */
  readonly clock?: Clock | undefined
  /** Fields, at any depth, that messages may add to the table; default 500. */
  readonly learnedMax?: number
}

/** Messages that became rows to be, and what became of the others. */
export interface Admitted {
  /** The columns that all of `objects` go to. */
  readonly schema: StructType
  readonly objects: readonly object[]
  readonly records: readonly number[]
  readonly refused: readonly {
    readonly record: number
    readonly reason: DeadLetterReason
    readonly message: string
  }[]
  /** Fields that no column took and that were let go. */
  readonly droppedFields: number
}

/** What is known of the table in one of its shapes. */
interface Known {
  readonly of: TableShape
  readonly schema: StructType
  /** Whether what fits no column is kept beside the row. */
  readonly rescues: boolean
  readonly absent: AbsentValues
}

/**
 * The columns that a topic's messages fill, from the contract, from the table as it is now, and from what messages have
 * shown: the one place that knows the policy. It grows while messages come, and follows the table when another writer
 * changes it. A column that another writer dropped is added again under `addNewColumns`: one of the contract with the
 * next rows, any other with the next rows that hold a value for it.
 */
export class RowColumns {
  readonly #parts: RowColumnsParts
  readonly #hidden: (folded: string) => boolean
  readonly #partitionColumns: readonly string[]
  /** Fields of the table that were there when it was opened and do not count as learned. */
  readonly #given: number
  #known: Known | undefined
  #plain: { readonly of: StructType; readonly plain: PlainContract | undefined } | undefined
  #rescuedSchema: { readonly of: StructType; readonly schema: StructType } | undefined
  #layout: { readonly of: TableShape; readonly wanted: string; readonly layout: Layout } | undefined

  /** @throws KD_SCHEMA_MISMATCH with every fault, where the contract does not fit the table under the policy. */
  constructor(parts: RowColumnsParts) {
    this.#parts = parts
    const { table, added, written, contract } = parts
    const names = new Set([...added.map(({ name }) => name.toLowerCase()), RESCUED_DATA])
    this.#hidden = (folded) => names.has(folded)
    this.#partitionColumns = table.shape.metadata.partitionColumns
    this.#given = fieldCount(written ? contract.schema : table.shape.metadata.schema)
    this.#current()
  }

  /** The columns that messages fill now. Throws `KD_SCHEMA_MISMATCH` once the table is one that rows cannot fit. */
  get schema(): StructType {
    return this.#current().schema
  }

  /** The same as plain data, for readers of bytes. */
  get plain(): PlainContract | undefined {
    const { schema } = this.#current()
    const { contract, written } = this.#parts
    if (this.#plain?.of !== schema)
      this.#plain = { of: schema, plain: plainColumns(schema, written ? contract : undefined) }
    return this.#plain.plain
  }

  /** What columns with a default are in a message that does not have them. Spec: "Default Columns". */
  get absent(): AbsentValues {
    return this.#current().absent
  }

  /** What a reader of bytes does with a field that is none of `plain`. */
  get unknown(): 'count' | 'leave' {
    return this.#parts.policy === 'none' ? 'count' : 'leave'
  }

  /**
   * Holds messages to contract and policy. Throws `KD_SCHEMA_CHANGED` for a field that nobody knows under
   * `failOnNewColumns`.
   */
  admit(objects: readonly unknown[], records: readonly number[], raw: Raw): Admitted {
    const admission = new Admission()
    const fitting: {
      readonly object: object
      readonly record: number
      readonly of: StructType
      readonly fitted: Fitted
    }[] = []
    for (const [index, object] of objects.entries()) {
      const record = records[index] as number
      const { schema: of } = this.#current()
      const fitted = this.#fit(object, record, admission)
      if (fitted === undefined) continue
      // Only what the contract lets pass is learned from.
      this.#learn(fitted.row)
      fitting.push({ object: object as object, record, of, fitted })
    }
    const { schema } = this.#current()
    for (const { object, record, of, fitted } of fitting) {
      const last = of === schema ? fitted : this.#fit(object, record, admission)
      if (last !== undefined) this.#settle(last, record, raw, admission)
    }
    return admission.admitted(admission.rescued ? this.#withRescued(schema) : schema)
  }

  /**
   * What files must be for rows of these schemas. Where the table is not one that the rows fit, though the messages that
   * they were made of would, `unfit` says so: they are to be read again.
   * @throws KD_SCHEMA_MISMATCH where the messages do not fit the table either.
   */
  layout(schemas: readonly StructType[]): Layout {
    const { of: shape } = this.#current()
    if (schemas.length === 0) return layoutOf(shape)
    const wanted = schemas.reduce(uniteStructs, schemas[0] ?? { type: 'struct', fields: [] })
    const text = JSON.stringify(wanted)
    // Asked again for the same, the physical names of new columns must be the same: flushes overlap.
    if (this.#layout?.of === shape && this.#layout.wanted === text) return this.#layout.layout
    const layout = this.#layoutFor(shape, wanted)
    this.#layout = { of: shape, wanted: text, layout }
    return layout
  }

  #layoutFor(shape: TableShape, wanted: StructType): Layout {
    const { added, policy } = this.#parts
    const faults = nullFaults(
      shape.metadata.schema,
      wanted,
      new Set(added.map(({ name }) => name.toLowerCase())),
    )
    try {
      const adds = policy === 'addNewColumns' ? true : policy === 'rescue' ? RESCUED_DATA : false
      const widen = policy === 'addNewColumns'
      const evolution = evolve(shape, wanted, { add: adds, widen, casts: canCast })
      if (faults.length > 0) return { ...layoutOf(shape), unfit: faults.join('; ') }
      if (evolution === undefined) return layoutOf(shape)
      const { metadata, protocol } = evolution
      const change = { metadata, ...(protocol === undefined ? {} : { protocol }) }
      return { ...layoutOf(evolution.shape), basis: shape, change }
    } catch (error) {
      if (!(error instanceof PipelineError) || error.code !== 'KD_SCHEMA_MISMATCH') throw error
      return { ...layoutOf(shape), unfit: error.message }
    }
  }

  #current(): Known {
    const shape = this.#parts.table.shape
    if (this.#known?.of !== shape) this.#known = this.#knownOf(shape, this.#known?.schema)
    return this.#known
  }

  #knownOf(shape: TableShape, before: StructType | undefined): Known {
    const { contract, written, added, policy, table } = this.#parts
    const { schema: columns, partitionColumns } = shape.metadata
    if (partitionColumns.join('\n') !== this.#partitionColumns.join('\n')) {
      const detail = `the table was partitioned by ${listOf(this.#partitionColumns)}, and is now by ${listOf(partitionColumns)}`
      throw new PipelineError('KD_SCHEMA_MISMATCH', detail, { table: table.uri })
    }
    const ours = written ? contract.schema : this.#parts.declared
    const schema = knownColumns({ contract: ours, table: columns, before, policy, hidden: this.#hidden })
    const evolving = policy === 'addNewColumns'
    const strict = policy === 'addNewColumns' || policy === 'failOnNewColumns' ? (ours ?? schema) : schema
    evolve(
      shape,
      { type: 'struct', fields: [...strict.fields, ...added] },
      { add: evolving, widen: evolving },
    )
    checkCompatible(ours ?? schema, columns, added)
    const column = fieldNamed(columns, RESCUED_DATA)
    const rescues = policy === 'rescue' || (evolving && column?.type === 'string')
    if (policy === 'rescue' && column !== undefined && column.type !== 'string') {
      const detail = `column ${RESCUED_DATA}: expected string, got another type`
      throw new PipelineError('KD_SCHEMA_MISMATCH', detail, { table: table.uri })
    }
    return { of: shape, schema, rescues, absent: absentValues(shape.metadata, this.#parts.clock) }
  }

  #learn(row: object): void {
    const known = this.#current()
    const { policy, learnedMax = LEARNED_MAX } = this.#parts
    if (policy !== 'addNewColumns') return
    const fieldsMax = Math.max(0, learnedMax - (fieldCount(known.schema) - this.#given))
    const schema = learn(known.schema, row, { fieldsMax, hidden: this.#hidden })
    if (schema !== known.schema) this.#known = { ...known, schema }
  }

  /** The message beside its columns, where the contract lets it pass. */
  #fit(object: unknown, record: number, admission: Admission): Fitted | undefined {
    const { contract, written, policy, coerce } = this.#parts
    const { schema, rescues } = this.#current()
    if (typeof object !== 'object' || object === null) {
      const fault = contract.check(object)
      const expected = `expected an object, got ${String(object)}`
      admission.refuse(record, fault === undefined ? 'type' : 'contract', fault ?? expected)
      return undefined
    }
    try {
      // What is rescued keeps its type there; elsewhere text is what a mix of types comes to.
      const lenient = policy === 'rescue' ? 'none' : written ? 'beyond' : 'all'
      const fitted = fit(object, schema, { rescues, lenient, coerce })
      const fault = contract.check(fitted.row)
      if (fault === undefined) return fitted
      admission.refuse(record, 'contract', fault)
    } catch (error) {
      // Nesting beyond the stack: the message is at fault.
      if (!(error instanceof RangeError)) throw error
      admission.refuse(record, 'type', `could not be written as JSON: ${messageOf(error)}`)
    }
    return undefined
  }

  /** What becomes of a message that the contract lets pass. */
  #settle(fitted: Fitted, record: number, raw: Raw, admission: Admission): void {
    const { policy } = this.#parts
    const { row, rescued, unknown } = fitted
    if (policy === 'failOnNewColumns') this.#failOnNew(fitted, raw, record)
    if (policy === 'none') admission.droppedFields += unknown.length
    const blocked = policy === 'addNewColumns' && !this.#current().rescues ? unknown.filter(hasValue) : []
    if (blocked.length > 0) {
      const paths = blocked.map(({ path }) => path).join(', ')
      admission.refuse(
        record,
        'type',
        `${paths}: cannot become a column, by its name or by the number of columns`,
      )
      return
    }
    if (rescued !== undefined) admission.rescued = true
    // A message may have a field of that name, which is among the rescued then.
    const bare = rescued === undefined && !Object.hasOwn(row, RESCUED_DATA)
    admission.accept(bare ? row : { ...row, [RESCUED_DATA]: rescued ?? null }, record)
  }

  #failOnNew({ unknown }: Fitted, raw: Raw, record: number): void {
    const names = unknown.filter(({ value }) => value !== null).map(({ path }) => path)
    if (names.length === 0) return
    const detail = `neither contract nor table has ${names.join(', ')}`
    throw new PipelineError('KD_SCHEMA_CHANGED', detail, {
      topic: this.#parts.topic,
      partition: raw.partition,
      offset: raw.offsets[record],
    })
  }

  #withRescued(schema: StructType): StructType {
    if (this.#rescuedSchema?.of !== schema) {
      const rescued: StructField = { name: RESCUED_DATA, type: 'string', nullable: true, metadata: {} }
      this.#rescuedSchema = { of: schema, schema: { type: 'struct', fields: [...schema.fields, rescued] } }
    }
    return this.#rescuedSchema.schema
  }
}

/** Collects what becomes of the messages of one batch. */
class Admission {
  droppedFields = 0
  rescued = false
  readonly #objects: object[] = []
  readonly #records: number[] = []
  readonly #refused: { record: number; reason: DeadLetterReason; message: string }[] = []

  accept(object: object, record: number): void {
    this.#objects.push(object)
    this.#records.push(record)
  }

  refuse(record: number, reason: DeadLetterReason, message: string): void {
    this.#refused.push({ record, reason, message })
  }

  admitted(schema: StructType): Admitted {
    return {
      schema,
      objects: this.#objects,
      records: this.#records,
      refused: this.#refused,
      droppedFields: this.droppedFields,
    }
  }
}

function hasValue({ value }: { readonly value: unknown }): boolean {
  return typeOfValue(value) !== undefined
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'no column' : names.join(', ')
}
