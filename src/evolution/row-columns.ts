import type { Contract } from '../contract/contract.ts'
import { checkCompatible } from '../contract/compatible.ts'
import { inferType, mergeStructs } from '../contract/columns/infer.ts'
import type { AbsentValues } from '../arrow/builder.ts'
import type { Changing } from '../core/changing.ts'
import type { Clock } from '../core/clock.ts'
import type { DeadLetterReason } from '../core/batch.ts'
import { messageOf, PipelineError } from '../core/errors.ts'
import type { Raw } from '../core/raw.ts'
import { findField, type StructField, type StructType } from '../core/schema.ts'
import { defaultValuesOf } from '../delta/constraints/defaults.ts'
import type { FormatOptions } from '../formats/format.ts'
import { evolveTable } from '../delta/schema/evolve.ts'
import { layoutOf, type Layout } from '../delta/files/layout.ts'
import type { TableWriter } from '../delta/commit/table-writer.ts'
import type { TableShape } from '../delta/protocol/table-shape.ts'
import { coerceMessage, withoutRescued, type CoercedMessage } from './coerce-message.ts'
import type { CoerceValue } from './ingest-values.ts'
import { mergeTableColumns } from './table-columns.ts'
import { countFields, inferNewColumns } from './infer-new-columns.ts'
import { plainContractOf } from './plain.ts'
import { INFERRED_FIELDS_MAX, RESCUED_DATA, type SchemaEvolution } from './policy.ts'
import { rowLayoutOf } from './row-layout.ts'

/** Describes how the columns of a topic's rows are determined. */
export interface RowColumnsOptions {
  readonly topic: string
  readonly contract: Contract
  /** True when a user wrote the contract; a contract taken from the table changes with the table. */
  readonly hasWrittenContract: boolean
  /**
   * Columns in addition to those of the table when there is no written contract; they are added to the table like
   * columns of a contract.
   */
  readonly declaredColumns?: StructType | undefined
  readonly table: Pick<TableWriter, 'shape' | 'uri'>
  /** Columns that the pipeline adds to every row. */
  readonly addedColumns: readonly StructField[]
  readonly policy: SchemaEvolution
  /** Converts values for columns of primitive types before they are checked; by default values stay unchanged. */
  readonly coerceValue?: CoerceValue | undefined
  /** Provides the time for default values such as `current_timestamp()`. */
  readonly clock?: Clock | undefined
  /** Fields, at any depth, that messages may add to the table; default 500. */
  readonly inferredFieldsMax?: number
}

/** Holds the valid messages of a batch and the faults of the others. */
export interface ValidatedMessages {
  /** The columns of all `objects`. */
  readonly schema: StructType
  /** Values for columns that an object lacks; other absent columns become null. They belong to `schema`. */
  readonly absentValues?: AbsentValues
  readonly objects: readonly object[]
  readonly records: readonly number[]
  readonly refused: readonly {
    readonly record: number
    readonly reason: DeadLetterReason
    readonly message: string
  }[]
  /** Number of dropped fields that have no column. */
  readonly droppedFields: number
}

/** Holds the columns for one version of the table's schema. */
interface CurrentColumns {
  readonly of: TableShape
  readonly schema: StructType
  /** True when values without a fitting column are kept with the row. */
  readonly rescues: boolean
  readonly absent: AbsentValues
}

/**
 * Determines the columns that a topic's messages fill, from the contract, the present table and the messages,
 * according to the schema evolution policy. The columns grow with the messages and follow changes that other writers
 * make to the table. Under `addNewColumns`, a column that another writer dropped is added again: a column of the
 * contract with the next rows, any other with the next rows that have a value for it.
 */
export class RowColumns implements Changing<FormatOptions> {
  readonly #options: RowColumnsOptions
  readonly #isHidden: (folded: string) => boolean
  readonly #partitionColumns: readonly string[]
  /** Fields of the table at the start, which do not count as inferred. */
  readonly #initialFields: number
  #columns: CurrentColumns | undefined
  #formatOptions: { readonly of: CurrentColumns; readonly options: FormatOptions } | undefined
  #rescuedSchema: { readonly of: StructType; readonly schema: StructType } | undefined
  #layout: { readonly of: TableShape; readonly requested: string; readonly layout: Layout } | undefined

  /**
   * Checks that the contract fits the table under the policy.
   * @throws KD_SCHEMA_MISMATCH with every fault
   */
  constructor(options: RowColumnsOptions) {
    this.#options = options
    const { table, addedColumns, hasWrittenContract, contract } = options
    const names = new Set([...addedColumns.map(({ name }) => name.toLowerCase()), RESCUED_DATA])
    this.#isHidden = (folded) => names.has(folded)
    this.#partitionColumns = table.shape.metadata.partitionColumns
    this.#initialFields = countFields(hasWrittenContract ? contract.schema : table.shape.metadata.schema)
    this.#rowColumns()
  }

  /**
   * Returns the columns that messages fill now, with their defaults, and their plain form for formats that decode bytes
   * directly, if they can be expressed so. It is the same object until messages add columns or the table changes.
   * @throws KD_SCHEMA_MISMATCH once the table has changed so that rows cannot fit it
   */
  current(): FormatOptions {
    const of = this.#rowColumns()
    if (this.#formatOptions?.of !== of) {
      const { contract, hasWrittenContract, policy } = this.#options
      const options = {
        schema: of.schema,
        plain: plainContractOf(of.schema, hasWrittenContract ? contract : undefined),
        absentValues: of.absent,
        unknownFields: policy === 'none' ? 'count' : 'leave',
        // Types of new columns are inferred: `2.0` is a double, as in the first messages of a topic.
        keepFractions: policy === 'addNewColumns',
      } as const
      this.#formatOptions = { of, options }
    }
    return this.#formatOptions.options
  }

  /**
   * Validates messages against the contract and the policy, and infers new columns from the valid ones.
   * @throws KD_SCHEMA_CHANGED for an unknown field under `failOnNewColumns`
   */
  validate(objects: readonly unknown[], records: readonly number[], raw: Raw): ValidatedMessages {
    const outcome = new BatchValidation()
    const accepted: {
      readonly object: object
      readonly record: number
      readonly of: StructType
      readonly coerced: CoercedMessage
    }[] = []
    for (const [index, object] of objects.entries()) {
      const record = records[index] as number
      const { schema: of } = this.#rowColumns()
      const coerced = this.#coerce(object, record, outcome)
      if (coerced === undefined) continue
      // Columns are inferred only from messages that the contract accepts.
      this.#inferColumns(coerced.row)
      accepted.push({ object: object as object, record, of, coerced })
    }
    const { schema, absent } = this.#rowColumns()
    for (const { object, record, of, coerced } of accepted) {
      const last = of === schema ? coerced : this.#coerce(object, record, outcome)
      if (last !== undefined) this.#applyPolicy(last, record, raw, outcome)
    }
    return outcome.result(outcome.hasRescued ? this.#withRescued(schema) : schema, absent)
  }

  /**
   * Returns the layout of files for rows of these schemas. When the table has changed so that the rows no longer fit,
   * although their messages would, the layout has `incompatibleReason`: the messages must be read again.
   * @throws KD_SCHEMA_MISMATCH when the messages no longer fit either
   */
  layout(schemas: readonly StructType[]): Layout {
    const { of: shape } = this.#rowColumns()
    if (schemas.length === 0) return layoutOf(shape)
    const requested = schemas.reduce(mergeStructs, schemas[0] ?? { type: 'struct', fields: [] })
    const text = JSON.stringify(requested)
    // Flushes overlap, and asking twice for the same schema must give new columns the same physical names.
    if (this.#layout?.of === shape && this.#layout.requested === text) return this.#layout.layout
    const { addedColumns, policy } = this.#options
    const layout = rowLayoutOf(shape, requested, {
      add: policy === 'addNewColumns' ? true : policy === 'rescue' ? RESCUED_DATA : false,
      widen: policy === 'addNewColumns',
      filledColumns: new Set(addedColumns.map(({ name }) => name.toLowerCase())),
    })
    this.#layout = { of: shape, requested: text, layout }
    return layout
  }

  #rowColumns(): CurrentColumns {
    const shape = this.#options.table.shape
    if (this.#columns?.of !== shape) this.#columns = this.#columnsFor(shape, this.#columns?.schema)
    return this.#columns
  }

  #columnsFor(shape: TableShape, previous: StructType | undefined): CurrentColumns {
    const { contract, hasWrittenContract, addedColumns, policy, table } = this.#options
    const { schema: columns, partitionColumns } = shape.metadata
    if (partitionColumns.join('\n') !== this.#partitionColumns.join('\n')) {
      const detail = `another writer changed the partition columns from ${listOf(this.#partitionColumns)} to ${listOf(partitionColumns)}`
      throw new PipelineError('KD_SCHEMA_MISMATCH', detail, { table: table.uri })
    }
    const declared = hasWrittenContract ? contract.schema : this.#options.declaredColumns
    const schema = mergeTableColumns({
      contract: declared,
      table: columns,
      previous,
      policy,
      isHidden: this.#isHidden,
    })
    const evolves = policy === 'addNewColumns'
    const strict = policy === 'addNewColumns' || policy === 'failOnNewColumns' ? (declared ?? schema) : schema
    evolveTable(
      shape,
      { type: 'struct', fields: [...strict.fields, ...addedColumns] },
      { add: evolves, widen: evolves },
    )
    checkCompatible(declared ?? schema, columns, addedColumns)
    const column = findField(columns, RESCUED_DATA)
    const rescues = policy === 'rescue' || (evolves && column?.type === 'string')
    if (policy === 'rescue' && column !== undefined && column.type !== 'string') {
      const detail = `column ${RESCUED_DATA}: expected string, got another type`
      throw new PipelineError('KD_SCHEMA_MISMATCH', detail, { table: table.uri })
    }
    return { of: shape, schema, rescues, absent: defaultValuesOf(shape.metadata, this.#options.clock) }
  }

  #inferColumns(row: object): void {
    const current = this.#rowColumns()
    const { policy, inferredFieldsMax = INFERRED_FIELDS_MAX } = this.#options
    if (policy !== 'addNewColumns') return
    const fieldsMax = Math.max(0, inferredFieldsMax - (countFields(current.schema) - this.#initialFields))
    const schema = inferNewColumns(current.schema, row, { fieldsMax, isHidden: this.#isHidden })
    if (schema !== current.schema) this.#columns = { ...current, schema }
  }

  /** Coerces the message and checks it against the contract; returns `undefined` when it is refused. */
  #coerce(object: unknown, record: number, outcome: BatchValidation): CoercedMessage | undefined {
    const { contract, coerceValue } = this.#options
    const { schema, rescues } = this.#rowColumns()
    if (typeof object !== 'object' || object === null) {
      const fault = contract.check(object)
      const expected = `expected an object, got ${String(object)}`
      outcome.refuse(record, fault === undefined ? 'type' : 'contract', fault ?? expected)
      return undefined
    }
    try {
      const jsonTextColumns = this.#jsonTextColumns()
      const coerced = coerceMessage(object, schema, { rescues, jsonTextColumns, coerceValue })
      const fault = contract.check(object)
      if (fault !== undefined && !this.#isRescued(object, coerced)) outcome.refuse(record, 'contract', fault)
      else if (coerced.fault !== undefined) outcome.refuse(record, 'type', coerced.fault)
      else return coerced
    } catch (error) {
      // Nesting too deep for the stack is a fault of the message.
      if (!(error instanceof RangeError)) throw error
      outcome.refuse(
        record,
        'type',
        `could not be coerced to the columns, probably nested too deeply: ${messageOf(error)}`,
      )
    }
    return undefined
  }

  /**
   * Returns true when the contract accepts the message without its rescued values. Keys keep their spelling: a contract
   * distinguishes their case, as JSON Schema does, and only columns do not.
   */
  #isRescued(object: object, { rescued }: CoercedMessage): boolean {
    if (rescued === undefined) return false
    const rest = withoutRescued(object, this.#rowColumns().schema, this.#jsonTextColumns())
    return this.#options.contract.check(rest) === undefined
  }

  /** A rescued value keeps its type in the JSON; under other policies a column of mixed types holds text. */
  #jsonTextColumns(): 'none' | 'untyped' | 'all' {
    const { policy, hasWrittenContract } = this.#options
    return policy === 'rescue' ? 'none' : hasWrittenContract ? 'untyped' : 'all'
  }

  /** Applies the policy to a message that the contract accepts. */
  #applyPolicy(coerced: CoercedMessage, record: number, raw: Raw, outcome: BatchValidation): void {
    const { policy } = this.#options
    const { row, rescued, unknownFields } = coerced
    if (policy === 'failOnNewColumns') this.#failOnNew(coerced, raw, record)
    if (policy === 'none') outcome.droppedFields += unknownFields.length
    const blocked =
      policy === 'addNewColumns' && !this.#rowColumns().rescues ? unknownFields.filter(hasValue) : []
    if (blocked.length > 0) {
      const paths = blocked.map(({ path }) => path).join(', ')
      outcome.refuse(
        record,
        'type',
        `${paths}: cannot become a column, because of its name or the number of columns`,
      )
      return
    }
    if (rescued !== undefined) outcome.hasRescued = true
    // A field named like the rescue column is itself among the rescued values.
    const isComplete = rescued === undefined && !Object.hasOwn(row, RESCUED_DATA)
    outcome.accept(isComplete ? row : { ...row, [RESCUED_DATA]: rescued ?? null }, record)
  }

  #failOnNew({ unknownFields }: CoercedMessage, raw: Raw, record: number): void {
    const names = unknownFields.filter(({ value }) => value !== null).map(({ path }) => path)
    if (names.length === 0) return
    const detail = `neither the contract nor the table has ${names.join(', ')}, and table.schemaEvolution is failOnNewColumns`
    throw new PipelineError('KD_SCHEMA_CHANGED', detail, {
      topic: this.#options.topic,
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

/** Collects the outcomes for the messages of one batch. */
class BatchValidation {
  droppedFields = 0
  hasRescued = false
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

  result(schema: StructType, absentValues: AbsentValues): ValidatedMessages {
    return {
      schema,
      absentValues,
      objects: this.#objects,
      records: this.#records,
      refused: this.#refused,
      droppedFields: this.droppedFields,
    }
  }
}

function hasValue({ value }: { readonly value: unknown }): boolean {
  return inferType(value) !== undefined
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'no column' : names.join(', ')
}
