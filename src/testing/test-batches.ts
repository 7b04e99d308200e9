import { from, type Observable } from 'rxjs'
import { StructBuilder } from '../arrow/builder.ts'
import type { Rows } from '../arrow/rows.ts'
import type { Batch, Provenance } from '../core/batch.ts'
import { PipelineError } from '../core/errors.ts'
import { toJsonText } from '../core/json-text.ts'
import type { Raw } from '../core/raw.ts'
import { pack } from '../kafka/source/pack-records.ts'
import type { RowSchema } from '../rows/row-types.ts'

/** The value of a record in a test: text, bytes, an object that becomes JSON, or `null` for a tombstone. */
export type TestValue = string | Uint8Array | object | null

/** Says where records of a test come from; everything has a default. */
export interface TestBatchOptions {
  /** Default `test`. */
  readonly topic?: string
  /** Default 0. */
  readonly partition?: number
  /** Offset of the first record; default 0. */
  readonly firstOffset?: bigint
  /** The offset that the table holds before the first batch; by default the one before `firstOffset`, or none at 0. */
  readonly follows?: bigint | undefined
  /** Records in a batch; by default all are in one. */
  readonly batchRecords?: number
  /** Kafka timestamp of each record, in milliseconds since the epoch; default 2026-03-01T00:00:00Z. */
  readonly timestampMs?: number
  /** Returns the key of a record; by default records have none. */
  readonly keyOf?: (value: TestValue, index: number) => string | Uint8Array | null
}

const TIMESTAMP_MS = Date.UTC(2026, 2, 1)

/**
 * Returns batches of records at consecutive offsets of one partition, as a source emits them. They hold no credit. Merge several
 * for several partitions.
 */
export function batchesOf(
  values: readonly TestValue[],
  options: TestBatchOptions = {},
): Observable<Batch<Raw>> {
  return from(rawBatchesOf(values, options))
}

/** Returns the batches of `batchesOf` as an array. */
export function rawBatchesOf(
  values: readonly TestValue[],
  options: TestBatchOptions = {},
): readonly Batch<Raw>[] {
  const { firstOffset = 0n, batchRecords = Math.max(values.length, 1) } = options
  const batches: Batch<Raw>[] = []
  let follows = followsOf(options)
  for (let start = 0; start < values.length; start += batchRecords) {
    const part = values.slice(start, start + batchRecords)
    const batch = rawBatchAt(part, firstOffset + BigInt(start), follows, start, options)
    batches.push(batch)
    follows = batch.provenance.last
  }
  return batches
}

function followsOf({ firstOffset = 0n, follows }: TestBatchOptions): bigint | undefined {
  return follows ?? (firstOffset > 0n ? firstOffset - 1n : undefined)
}

function rawBatchAt(
  values: readonly TestValue[],
  first: bigint,
  follows: bigint | undefined,
  start: number,
  { topic = 'test', partition = 0, timestampMs = TIMESTAMP_MS, keyOf }: TestBatchOptions,
): Batch<Raw> {
  const records = values.map((value, index) => ({
    key: bufferOf(keyOf?.(value, start + index) ?? null),
    value: bufferOf(value),
    timestamp: String(timestampMs),
    offset: String(first + BigInt(index)),
  }))
  const provenance: Provenance = {
    topic,
    partition,
    follows,
    first,
    last: first + BigInt(values.length) - 1n,
    records: values.length,
    bytes: 0,
    polledAtMs: timestampMs,
    traceparents: [],
    timings: [],
  }
  return { provenance, payload: pack(topic, partition, records, first) }
}

function bufferOf(value: TestValue): Buffer | null {
  if (value === null) return null
  if (value instanceof Uint8Array) return Buffer.from(value)
  return Buffer.from(typeof value === 'string' ? value : toJsonText(value))
}

/**
 * Returns a batch of decoded rows, the input of row operators. The record of each row is the row as JSON.
 * @throws KD_SCHEMA_MISMATCH for a row that does not fit the columns
 */
export function rowsOf<Out extends object, In extends object>(
  schema: RowSchema<Out, In>,
  rows: readonly In[],
  options: Omit<TestBatchOptions, 'batchRecords'> = {},
): Batch<Rows<Out>> {
  const builder = new StructBuilder(schema)
  for (const [index, row] of rows.entries()) {
    const fault = builder.append(row)
    if (fault !== undefined) throw new PipelineError('KD_SCHEMA_MISMATCH', `row ${index}: ${fault}`)
  }
  const { firstOffset = 0n } = options
  const { provenance, payload } = rawBatchAt(rows, firstOffset, followsOf(options), 0, options)
  return {
    provenance,
    payload: {
      raw: payload,
      columns: builder.finishColumns(),
      records: Int32Array.from(rows.keys()),
      deadLetters: [],
      tombstones: 0,
      filtered: 0,
    },
  }
}
