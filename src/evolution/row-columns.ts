import type { Contract } from '../contract/contract.ts'
import { checkCompatible } from '../contract/compatible.ts'
import { mergeStructs } from '../contract/columns/infer.ts'
import type { AbsentValues } from '../arrow/builder.ts'
import { DroppedPaths } from '../arrow/rows.ts'
import type { Changing } from '../core/changing.ts'
import type { Clock } from '../core/clock.ts'
import { messageOf, PipelineError } from '../core/errors.ts'
import type { Raw } from '../core/raw.ts'
import { findField, type StructField, type StructType } from '../core/schema.ts'
import { defaultValuesOf } from '../delta/constraints/defaults.ts'
import type { Decoded, FormatOptions, WriterSchema } from '../formats/format.ts'
import { evolveTable } from '../delta/schema/evolve.ts'
import { layoutOf, type Layout } from '../delta/files/layout.ts'
import type { TableWriter } from '../delta/commit/table-writer.ts'
import type { TableShape } from '../delta/protocol/table-shape.ts'
import { BatchValidation, type ValidatedMessages } from './batch-validation.ts'
import { coerceMessage, withoutRescued, type CoercedMessage, type UnknownField } from './coerce-message.ts'
import type { CoerceValue } from './ingest-values.ts'
import { mergeTableColumns } from './table-columns.ts'
import { findMissedColumn } from './field-paths.ts'
import { countFields, inferNewColumns } from './infer-new-columns.ts'
import { messageHandlingOf, plainContractOf } from './plain.ts'
import { INFERRED_FIELDS_MAX, RESCUED_DATA, type SchemaEvolution } from './policy.ts'
import { rowLayoutOf } from './row-layout.ts'
import { blockedText, describesField, hasUndescribed, hasValue, WriterColumns } from './writer-columns.ts'

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
  /**
   * True when a value is checked by the schema that it names, if that has checks, instead of by the contract: for a
   * contract that is itself a schema of the format, perhaps of another version.
   */
  readonly checksByWriter?: boolean
  /** Provides the time for default values such as `current_timestamp()`. */
  readonly clock?: Clock | undefined
  /** Fields, at any depth, that messages may add to the table; default 500. */
  readonly inferredFieldsMax?: number
}

/** Holds a message and the schema that it names. */
interface Message {
  readonly object: unknown
  readonly record: number
  readonly writer: WriterSchema | undefined
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
  /** Fields of the table at the start and of writers' schemas, which do not count as inferred. */
  #describedFields: number
  readonly #writers: WriterColumns
  #columns: CurrentColumns | undefined
  #formatOptions: { readonly of: CurrentColumns; readonly options: FormatOptions } | undefined
  #rescuedSchema: { readonly of: StructType; readonly schema: StructType } | undefined
  #dropped: DroppedPaths | undefined
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
    this.#writers = new WriterColumns(this.#isHidden)
    this.#partitionColumns = table.shape.metadata.partitionColumns
    this.#describedFields = countFields(hasWrittenContract ? contract.schema : table.shape.metadata.schema)
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
      const { contract, hasWrittenContract, policy, coerceValue } = this.#options
      const { schema, absent: absentValues, rescues } = of
      const plain = plainContractOf(schema, hasWrittenContract ? contract : undefined, coerceValue)
      const handling = messageHandlingOf(policy, this.#jsonTextColumns(), rescues)
      const options = { schema, plain, absentValues, ...handling }
      this.#formatOptions = { of, options }
    }
    return this.#formatOptions.options
  }

  /**
   * Validates messages against the contract and the policy, and extends the columns by those of the valid ones: the
   * schema that a message names has their types; values are asked only for fields that no schema describes. `writers`
   * has the schema of each object, undefined for one that names none.
   * @throws KD_SCHEMA_CHANGED for an unknown field under `failOnNewColumns`
   */
  validate(
    objects: readonly unknown[],
    records: readonly number[],
    raw: Raw,
    writers?: Decoded['writers'],
  ): ValidatedMessages {
    const outcome = new BatchValidation()
    const accepted: (Message & { readonly of: StructType; readonly coerced: CoercedMessage })[] = []
    for (const [index, object] of objects.entries()) {
      const record = records[index] as number
      const writer = writers?.[index]
      const { schema: of } = this.#rowColumns()
      const coerced = this.#coerce(object, record, writer, outcome)
      if (coerced === undefined) continue
      // Columns are added only by messages that the contract accepts.
      this.#extendColumns(writer, coerced)
      accepted.push({ object, record, writer, of, coerced })
    }
    const { schema, absent } = this.#rowColumns()
    for (const message of accepted) {
      const { object, record, writer, of, coerced } = message
      const last = of === schema ? coerced : this.#coerce(object, record, writer, outcome)
      if (last !== undefined) this.#applyPolicy(last, message, raw, outcome)
    }
    return outcome.result(
      outcome.hasRescued ? this.#withRescued(schema) : schema,
      absent,
      this.#droppedPaths(),
    )
  }

  /**
   * Returns the layout of files for rows of these schemas. When the table has changed so that the rows no longer fit,
   * although their messages would, or when it now has a column for a field that was dropped, the layout has
   * `incompatibleReason`: the messages must be read again.
   * @throws KD_SCHEMA_MISMATCH when the messages no longer fit either
   */
  layout(schemas: readonly StructType[], dropped: readonly DroppedPaths[] = []): Layout {
    const { of: shape, schema } = this.#rowColumns()
    const missed = findMissedColumn(dropped, schema)
    if (missed !== undefined)
      return {
        ...layoutOf(shape),
        incompatibleReason: `the table has a column for the dropped field ${missed}`,
      }
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
    if (this.#columns?.of !== shape) {
      const columns = this.#columnsFor(shape, this.#columns?.schema)
      this.#columns = { ...columns, schema: this.#writers.extend(columns.schema, shape) }
    }
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

  #extendColumns(writer: WriterSchema | undefined, coerced: CoercedMessage): void {
    const { row } = coerced
    if (this.#options.policy !== 'addNewColumns') return
    if (writer === undefined) {
      this.#inferColumns(row, this.#isHidden)
      return
    }
    // Columns that are new by the schema may hold fields that it does not describe.
    const unknownFields = this.#addWriter(writer)
      ? coerceMessage(row, this.#rowColumns().schema, LENIENT).unknownFields
      : coerced.unknownFields
    if (unknownFields.length === 0 || !hasUndescribed(unknownFields, writer)) return
    this.#inferColumns(row, (folded) => this.#isHidden(folded) || describesField(writer, folded))
  }

  #inferColumns(row: object, isHidden: (folded: string) => boolean): void {
    const current = this.#rowColumns()
    const { inferredFieldsMax = INFERRED_FIELDS_MAX } = this.#options
    const fieldsMax = Math.max(0, inferredFieldsMax - (countFields(current.schema) - this.#describedFields))
    const schema = inferNewColumns(current.schema, row, { fieldsMax, isHidden })
    if (schema !== current.schema) this.#columns = { ...current, schema }
  }

  /** Adds the columns of a writer's schema, once; returns true when there are new ones. */
  #addWriter(writer: WriterSchema): boolean {
    if (!this.#writers.add(writer)) return false
    const current = this.#rowColumns()
    const schema = this.#writers.extend(current.schema, current.of)
    if (schema === current.schema) return false
    this.#describedFields += countFields(schema) - countFields(current.schema)
    this.#columns = { ...current, schema }
    return true
  }

  /** Coerces the message and checks it against the contract; returns `undefined` when it is refused. */
  #coerce(
    object: unknown,
    record: number,
    writer: WriterSchema | undefined,
    outcome: BatchValidation,
  ): CoercedMessage | undefined {
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
      const fault = this.#faultOf(object, writer)
      if (fault !== undefined && !this.#isRescued(object, coerced, writer))
        outcome.refuse(record, 'contract', fault)
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

  /** Returns the fault that the contract finds, or the schema that takes its place. */
  #faultOf(object: object, writer: WriterSchema | undefined): string | undefined {
    const { contract, checksByWriter = false } = this.#options
    if (checksByWriter && writer?.check !== undefined) return writer.check(object)
    return contract.check(object)
  }

  /**
   * Returns true when the contract accepts the message without its rescued values. Keys keep their spelling: a contract
   * distinguishes their case, as JSON Schema does, and only columns do not.
   */
  #isRescued(object: object, { rescued }: CoercedMessage, writer: WriterSchema | undefined): boolean {
    if (rescued === undefined) return false
    const rest = withoutRescued(object, this.#rowColumns().schema, this.#jsonTextColumns())
    return this.#faultOf(rest, writer) === undefined
  }

  /** A rescued value keeps its type in the JSON; under other policies a column of mixed types holds text. */
  #jsonTextColumns(): 'none' | 'untyped' | 'all' {
    const { policy, hasWrittenContract } = this.#options
    return policy === 'rescue' ? 'none' : hasWrittenContract ? 'untyped' : 'all'
  }

  /** Applies the policy to a message that the contract accepts. */
  #applyPolicy(
    coerced: CoercedMessage,
    { record, writer }: Message,
    raw: Raw,
    outcome: BatchValidation,
  ): void {
    const { policy } = this.#options
    const { row, rescued, unknownFields } = coerced
    if (policy === 'failOnNewColumns') this.#failOnNew(coerced, raw, record)
    if (policy === 'none') this.#drop(unknownFields, outcome)
    const blocked =
      policy === 'addNewColumns' && !this.#rowColumns().rescues ? unknownFields.filter(hasValue) : []
    if (blocked.length > 0) {
      outcome.refuse(record, 'type', blockedText(blocked, writer))
      return
    }
    if (rescued !== undefined) outcome.hasRescued = true
    // A field named like the rescue column is itself among the rescued values.
    const isComplete = rescued === undefined && !Object.hasOwn(row, RESCUED_DATA)
    outcome.accept(isComplete ? row : { ...row, [RESCUED_DATA]: rescued ?? null }, record)
  }

  #drop(fields: readonly UnknownField[], outcome: BatchValidation): void {
    outcome.droppedFields += fields.length
    for (const { path } of fields) this.#droppedPaths().add(path.toLowerCase())
  }

  /** The names of fields that the present columns lack. */
  #droppedPaths(): DroppedPaths {
    const { schema } = this.#rowColumns()
    if (this.#dropped?.of !== schema) this.#dropped = new DroppedPaths(schema)
    return this.#dropped
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

/** Leaves values as they are, to find the fields without a column. */
const LENIENT = { rescues: false, jsonTextColumns: 'none' } as const

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'no column' : names.join(', ')
}
