import { catchError, identity, tap, throwError } from 'rxjs'
import type { MonoTypeOperatorFunction, Observable, OperatorFunction } from 'rxjs'
import { bufferTimeOrCount, type BufferOptions, type FlushLimits } from '../operators/buffer-time-or-count.ts'
import { commitDelta, type CommitDeltaOptions } from '../operators/commit-delta.ts'
import { commitOffsets, type PipelineCommit } from '../operators/commit-offsets.ts'
import { constrain } from '../operators/constrain.ts'
import { decode } from '../operators/decode.ts'
import { divideBatches } from '../operators/divide-batches.ts'
import { enrich } from '../operators/enrich.ts'
import { limitDeadLetters, stopAtDeadLetter, type DeadLetterLimit } from '../operators/limit-dead-letters.ts'
import { partitionBy, type PartitionedRows } from '../operators/partition-by.ts'
import { assertRows, rowsFaultOf } from '../operators/rows-fault.ts'
import { toArrow } from '../operators/to-arrow.ts'
import { transform, type TransformOperatorOptions } from '../operators/transform.ts'
import { validate } from '../operators/validate.ts'
import {
  layOutForSnapshot,
  writeParquet,
  type FileTarget,
  type ParquetTarget,
} from '../operators/write-parquet.ts'
import type { Rows } from './arrow/rows.ts'
import type { Contract } from './contract/contract.ts'
import type { Batch } from './core/batch.ts'
import type { Changing } from './core/changing.ts'
import { systemClock } from './core/clock.ts'
import type { Credit } from './core/credit/credit.ts'
import { customErrorOf } from './core/errors.ts'
import { inFlush } from './core/stage/flush-scope.ts'
import { checkedOperator } from './core/stage/operator-contract.ts'
import { Pace } from './core/stage/paced.ts'
import type { Raw } from './core/raw.ts'
import type { TableWriter } from './delta/commit/table-writer.ts'
import { recheckConstraints, compileTableConstraints } from './delta/constraints/constraint-violations.ts'
import type { RowColumns } from './evolution/row-columns.ts'
import { unchangedLayoutOf } from './evolution/row-layout.ts'
import type { Enrichment } from './enrichments/enrichment.ts'
import type { Decoded, Format } from './formats/format.ts'
import type { Source } from './kafka/source/source.ts'
import type { ParquetOptions } from './parquet/writer.ts'
import type { Store } from './storage/store.ts'
import type { Threads } from './threads/threads.ts'
import type { Transformation } from './transforms/transformation.ts'

/** Describes what a pipeline works with; all I/O, clocks and state are passed in here. */
export interface PipelineOptions extends Pick<CommitDeltaOptions, 'appId' | 'deadLetters' | 'clock'> {
  readonly table: TableWriter
  readonly source: Pick<Source, 'commitOffsets' | 'reset' | 'awaitCommits'>
  /** Byte credit that the source takes from. */
  readonly credit: Credit
  readonly format: Format
  readonly contract: Contract
  /** Columns that follow the messages and the table; without it, the columns of the contract. */
  readonly columns?: RowColumns | undefined
  /** Lays out the rows for the files of the table, if `rows` changes their columns; by default `columns` does. */
  readonly rowColumns?: Pick<RowColumns, 'layout'> | undefined
  /**
   * Transforms between the messages and the rows; without it messages are unchanged, and those decoded directly to
   * columns stay so.
   */
  readonly transforms?: PipelineTransforms | undefined
  /** A custom operator on validated rows; join several with `pipe`. */
  readonly rows?: MonoTypeOperatorFunction<Batch<Rows>> | undefined
  readonly enrichments: readonly (Enrichment | Changing<Enrichment>)[]
  /** Rooted at the table. */
  readonly store: Store
  /** Opens the trace of a flush. */
  readonly openTrace?: BufferOptions['openTrace'] | undefined
  /**
   * Called when a flush is dropped and its records are read again: another writer has committed its offsets, or, with
   * `incompatibleReason`, its rows no longer fit the table.
   */
  readonly onFenced?: ((appIds: readonly string[], incompatibleReason?: string) => void) | undefined
  /** Worker threads that decode batches and encode files; by default this thread does. */
  readonly threads?: Pick<Threads, 'workers' | 'encoder'> | undefined
  /** Called when files of a flush that was not committed could not be deleted; a vacuum deletes them. */
  readonly onOrphaned?: ParquetTarget['onOrphaned']
  /** True to pass on errors that are no `PipelineError`, for a program that reports them as its own bugs; default false. */
  readonly passesUnknownErrors?: boolean | undefined
}

/** Holds the transforms of a topic and the options of the transform operator. */
export interface PipelineTransforms extends TransformOperatorOptions {
  readonly transformation: Transformation
}

/** Holds the settings of one topic's pipeline. */
export interface PipelineConfig {
  readonly partitionColumns: readonly string[]
  readonly flush: FlushLimits
  readonly parquet: ParquetOptions
  /** Ends the pipeline when a larger share of a flush are dead letters; no limit by default. */
  readonly deadLetterLimit?: DeadLetterLimit | undefined
  /** True when the first dead letter ends the pipeline. */
  readonly stopAtDeadLetter?: boolean
}

/**
 * Carries Kafka batches into Delta commits. Completes when `batches` completes, and errors with the first failure
 * that retries cannot fix: always a `PipelineError`, with the code KD_OPERATOR_FAILED and the cause for an error of the
 * format, the operators, the enrichments, the store or the sink.
 */
export function pipeline(
  batches: Observable<Batch<Raw>>,
  options: PipelineOptions,
  config: PipelineConfig,
): Observable<PipelineCommit> {
  const { source, credit, table, appId, deadLetters, openTrace, clock = systemClock } = options
  const files = fileTargetOf(options, config.parquet)
  const handleFenced = createFencedHandler(source, credit, options.onFenced)
  const commits = batches.pipe(
    toRows(options, config.partitionColumns), // bytes → rows; undecodable records become dead letters
    stopAtDeadLetter(config.stopAtDeadLetter === true),
    bufferTimeOrCount(config.flush, { credit, openTrace }), // many batches → one flush, the unit of atomicity
    limitDeadLetters(config.deadLetterLimit),
    toArrow(files.arrow), // rows → columns of files, in the layout of the present table
    writeParquet(files.parquet), // uploaded; readers do not see the files yet
    commitDelta({
      table,
      appId,
      deadLetters,
      layOutForSnapshot: (made) => layOutForSnapshot(made, files), // when another writer changed the table
      handleFenced,
      clock,
    }), // files and offsets in one version: exactly once
    commitOffsets({ source, credit }), // advisory copy in the Kafka group
  )
  if (options.passesUnknownErrors === true) return commits
  return commits.pipe(
    catchError((error: unknown) =>
      throwError(() => customErrorOf(error, 'a part of the chain', { table: table.uri })),
    ),
  )
}

/** Selects the options for turning records into rows. */
export type RowPipelineOptions = Pick<
  PipelineOptions,
  'format' | 'transforms' | 'contract' | 'columns' | 'rows' | 'enrichments' | 'table' | 'clock' | 'threads'
>

/** Batches ahead that each thread may work on, so that none waits for the main thread. */
const AHEAD_PER_THREAD = 3

/**
 * Turns batches of records into rows labelled with their table partitions, one batch at a time. Large batches are divided, and
 * the event loop runs between the parts.
 */
export function toRows(
  options: RowPipelineOptions,
  partitionColumns: readonly string[],
): OperatorFunction<Batch<Raw>, Batch<PartitionedRows>> {
  return (batches) => {
    const pace = new Pace()
    const aheadMax = 1 + AHEAD_PER_THREAD * (options.threads?.workers ?? 0)
    return batches.pipe(
      divideBatches({ pace }), // no batch blocks the event loop for long
      decode(options.format, { aheadMax, pace }), // bytes → rows
      applyTransforms(options.transforms), // rules, filter, transforms; unchanged for a topic without any
      validate(options.contract, options.columns), // rows that violate the contract become dead letters
      checkedRows(options.rows), // custom operators of the library's user
      enrich(options.enrichments),
      constrain(() => compileTableConstraints(options.table.metadata), options.clock), // rows that violate a table constraint become dead letters
      partitionBy(partitionColumns), // labels rows by table partition; the stream is never split
    )
  }
}

/**
 * Returns the custom operator, checked against its contract. Its rows are checked by their counts, so that an error names
 * the operator and not the format.
 */
function checkedRows(rows: PipelineOptions['rows']): MonoTypeOperatorFunction<Batch<Rows>> {
  if (rows === undefined) return identity
  const name = rows.name === '' ? 'rows' : rows.name
  return (batches) =>
    batches.pipe(
      tap(({ payload, provenance }) => assertRows(payload, provenance, 'the format or a transform')),
      checkedOperator(name, rows, { faultOf: rowsFaultOf }),
    )
}

function applyTransforms(
  transforms: PipelineTransforms | undefined,
): MonoTypeOperatorFunction<Batch<Decoded>> {
  return transforms === undefined ? (batches) => batches : transform(transforms.transformation, transforms)
}

/** Describes the table of a pipeline to the operators that make its files. */
export function fileTargetOf(
  options: Pick<
    PipelineOptions,
    'columns' | 'rowColumns' | 'table' | 'store' | 'clock' | 'onOrphaned' | 'threads'
  >,
  parquet: ParquetOptions,
): FileTarget {
  const { table, store, columns, rowColumns = columns, clock = systemClock, onOrphaned, threads } = options
  return {
    arrow: {
      layout: (rows, dropped) => rowColumns?.layout(rows, dropped) ?? unchangedLayoutOf(table.shape, rows),
      incompatibleReasonOf: (rows, { baseSnapshot }) =>
        recheckConstraints(rows, baseSnapshot.metadata, clock.now()),
    },
    parquet: {
      store,
      parquet,
      clock,
      encoder: threads?.encoder,
      ...(onOrphaned === undefined ? {} : { onOrphaned }),
    },
  }
}

/**
 * Returns the handler that drops a fenced flush: it deletes the uploaded files and restarts the partitions from the
 * table.
 */
function createFencedHandler(
  source: PipelineOptions['source'],
  credit: Credit,
  onFenced: PipelineOptions['onFenced'],
): CommitDeltaOptions['handleFenced'] {
  return (flush, appIds, incompatibleReason) =>
    inFlush(flush.trace, async () => {
      onFenced?.(appIds, incompatibleReason)
      await flush.payload.discard()
      await source.reset(flush.ranges.map((range) => range.partition))
      credit.flushSettled(flush.bytes)
      flush.trace.end(
        new Error(incompatibleReason ?? `Other writers have committed these offsets: ${appIds.join(', ')}`),
      )
    })
}
