import { identity, type MonoTypeOperatorFunction, type Observable, type OperatorFunction } from 'rxjs'
import {
  bufferTimeOrCount,
  type BufferParts,
  type Chunk,
  type FlushLimits,
} from '../operators/buffer-time-or-count.ts'
import { commitDelta, type CommitParts } from '../operators/commit-delta.ts'
import { commitOffsets, type Commit } from '../operators/commit-offsets.ts'
import { constrain } from '../operators/constrain.ts'
import { decode } from '../operators/decode.ts'
import { enrich } from '../operators/enrich.ts'
import { limitDeadLetters, stopAtDeadLetter, type DeadLetterLimit } from '../operators/limit-dead-letters.ts'
import { partitionBy, type Labelled } from '../operators/partition-by.ts'
import { toArrow } from '../operators/to-arrow.ts'
import { transform, type TransformParts } from '../operators/transform.ts'
import { validate } from '../operators/validate.ts'
import { writeParquet, type DataFiles } from '../operators/write-parquet.ts'
import type { Rows } from './arrow/rows.ts'
import type { Contract } from './contract/contract.ts'
import type { Batch, Flush } from './core/batch.ts'
import { systemClock } from './core/clock.ts'
import type { Credit } from './core/credit/credit.ts'
import { inFlush } from './core/stage/flush-scope.ts'
import type { Raw } from './core/raw.ts'
import { brokenSince, compiledConstraints } from './delta/constraints/check.ts'
import { layoutOf } from './delta/files/layout.ts'
import type { RowColumns } from './evolution/row-columns.ts'
import type { Enrichment } from './enrichments/enrichment.ts'
import type { Decoded, Format } from './formats/format.ts'
import type { Source } from './kafka/source/source.ts'
import type { ParquetOptions } from './parquet/writer.ts'
import type { Store } from './storage/store.ts'
import type { Transformation } from './transforms/transformation.ts'

/** Everything a pipeline works with; I/O, clocks and state arrive here as arguments. */
export interface Parts extends Omit<CommitParts, 'fenced'> {
  readonly source: Pick<Source, 'commitOffsets' | 'reset'>
  /** The byte budget that the source takes from. */
  readonly credit: Credit
  readonly format: Format
  readonly contract: Contract
  /** The columns of rows where they follow the messages and the table; those of the contract where absent. */
  readonly columns?: RowColumns
  /** What becomes of messages before they are rows; without it they stay as they are, and in columns where they are so. */
  readonly transforms?: Transforms
  /** Operators of one's own on rows that the contract has let through; joined by `pipe`, they are one. */
  readonly rows?: MonoTypeOperatorFunction<Batch<Rows>>
  readonly enrichments: readonly Enrichment[]
  /** Rooted at the table. */
  readonly store: Store
  /** Opens the trace of a flush. */
  readonly openTrace?: BufferParts['openTrace']
  /** Told of a flush that is read again: another writer holds its offsets, or, with `unfit`, its rows do not fit the table any more. */
  readonly onFenced?: (appIds: readonly string[], unfit?: string) => void
}

/** Transforms and what the operator needs beside them. */
export interface Transforms extends TransformParts {
  readonly transformation: Transformation
}

/** The knobs of one topic. */
export interface PipelineConfig {
  readonly partitionColumns: readonly string[]
  readonly flush: FlushLimits
  readonly parquet: ParquetOptions
  /** Ends the pipeline where more of a flush are dead letters; no limit where absent. */
  readonly deadLetterLimit?: DeadLetterLimit | undefined
  /** Whether the first dead letter ends the pipeline. */
  readonly stopAtDeadLetter?: boolean
}

/** Kafka batches in, Delta commits out. Completes when `batches` completes; errors on the first thing that a retry cannot fix. */
export function pipeline(
  batches: Observable<Batch<Raw>>,
  parts: Parts,
  config: PipelineConfig,
): Observable<Commit> {
  const { source, credit } = parts
  return batches.pipe(
    toRows(parts, config.partitionColumns), // bytes → rows; what cannot be one becomes a dead letter
    stopAtDeadLetter(config.stopAtDeadLetter === true),
    bufferTimeOrCount(config.flush, buffering(parts)), // many batches → one flush, the unit of atomicity
    limitDeadLetters(config.deadLetterLimit),
    toFiles(parts, config.parquet), // uploaded; nothing is visible to readers yet
    commitDelta({ ...parts, fenced: fencing(parts) }), // files and offsets in one version: exactly once
    commitOffsets({ source, settled: (flush) => settle(flush, credit) }), // Kafka's copy: advisory
  )
}

/** What makes rows of records. */
export type RowParts = Pick<
  Parts,
  'format' | 'transforms' | 'contract' | 'columns' | 'rows' | 'enrichments' | 'table' | 'clock'
>

/** Records in, rows for the table out, labelled with the table partitions that they go to; batch by batch. */
export function toRows(
  parts: RowParts,
  partitionColumns: readonly string[],
): OperatorFunction<Batch<Raw>, Batch<Labelled>> {
  return (batches) =>
    batches.pipe(
      decode(parts.format), // bytes → rows
      transformed(parts.transforms), // rules, filter, transforms; nothing for a topic without any
      validate(parts.contract, parts.columns), // rows that the contract refuses become dead letters
      parts.rows ?? identity, // what a user of the library puts here
      enrich(parts.enrichments),
      constrain(() => compiledConstraints(parts.table.metadata), parts.clock), // so do rows that the table refuses
      partitionBy(partitionColumns), // labels rows; the stream never forks
    )
}

function transformed(transforms: Transforms | undefined): MonoTypeOperatorFunction<Batch<Decoded>> {
  return transforms === undefined ? (batches) => batches : transform(transforms.transformation, transforms)
}

/** Rows in, uploaded files out, made for the table as it is. */
export function toFiles(
  parts: Pick<Parts, 'columns' | 'table' | 'store' | 'clock'>,
  parquet: ParquetOptions,
): OperatorFunction<Flush<readonly Chunk[]>, Flush<DataFiles>> {
  const { table, store, columns, clock = systemClock } = parts
  return (flushes) =>
    flushes.pipe(
      toArrow({
        layout: (rows) => columns?.layout(rows) ?? layoutOf(table.shape),
        unfit: (rows, { basis }) => brokenSince(rows, basis.metadata, clock.now()),
      }),
      writeParquet({ ...parquet, store }),
    )
}

function buffering({ credit, openTrace }: Parts): BufferParts {
  return {
    charge: (bytes) => credit.charge(bytes),
    dropped: (bytes) => credit.give(bytes),
    flushed: () => credit.flushOpened(),
    onFlush: (form) => credit.onFlush(form),
    isPressed: () => credit.isPressed,
    ...(openTrace === undefined ? {} : { openTrace }),
  }
}

/** Gives back what a flush held. */
function settle(flush: Flush<unknown>, credit: Credit): void {
  credit.give(flush.bytes)
  credit.flushClosed()
}

/** Gives up a flush: its files are orphans, its partitions start again from the table. */
function fencing({ source, credit, onFenced }: Parts): CommitParts['fenced'] {
  return (flush, appIds, unfit) =>
    inFlush(flush.trace, async () => {
      onFenced?.(appIds, unfit)
      await flush.payload.discard()
      await source.reset(flush.ranges.map((range) => range.partition))
      settle(flush, credit)
      flush.trace.end(new Error(unfit ?? `Other writers hold these offsets: ${appIds.join(', ')}`))
    })
}
