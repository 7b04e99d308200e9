import { StructBuilder } from '../../../src/arrow/builder.ts'
import type { Columns } from '../../../src/arrow/column.ts'
import type { Rows } from '../../../src/arrow/rows.ts'
import type { Batch, Provenance } from '../../../src/core/batch.ts'
import type { Raw } from '../../../src/core/raw.ts'
import type { DataType, StructField, StructType } from '../../../src/core/schema.ts'
import { pack } from '../../../src/kafka/source/pack-records.ts'

/** 2026-03-01T00:00:00Z. */
export const RECORDED_MS = 1_772_323_200_000

/** A nullable field. */
export function fieldOf(name: string, type: DataType): StructField {
  return { name, type, nullable: true, metadata: {} }
}

/** A struct of nullable fields. */
export function structOf(fields: Readonly<Record<string, DataType>>): StructType {
  return { type: 'struct', fields: Object.entries(fields).map(([name, type]) => fieldOf(name, type)) }
}

/** An array that may hold nulls. */
export function arrayOf(elementType: DataType): DataType {
  return { type: 'array', elementType, containsNull: true }
}

/** A map of strings to values that may be null. */
export function mapOf(valueType: DataType, keyType: DataType = 'string'): DataType {
  return { type: 'map', keyType, valueType, valueContainsNull: true }
}

/** Where records are said to come from. */
export interface Origin {
  readonly topic?: string
  readonly partition?: number
  readonly first?: bigint
  /** For each record; `undefined` and what is beyond the end is a null key. */
  readonly keys?: readonly (string | Uint8Array | undefined)[]
  readonly timestampMs?: number
}

/** Records of these values at consecutive offsets; `null` is a tombstone. */
export function rawOf(values: readonly (string | Uint8Array | null)[], origin: Origin = {}): Raw {
  const { topic = 'events', partition = 0, first = 0n, keys = [], timestampMs = RECORDED_MS } = origin
  const bufferOf = (value: string | Uint8Array | null | undefined): Buffer | null =>
    value === null || value === undefined ? null : Buffer.from(value as string)
  const records = values.map((value, index) => ({
    key: bufferOf(keys[index]),
    value: bufferOf(value),
    timestamp: String(timestampMs),
    offset: String(first + BigInt(index)),
  }))
  return pack(topic, partition, records, first)
}

/** A provenance that continues the chain of its partition. */
export function provenanceOf(facts: Partial<Provenance> & { readonly records?: number } = {}): Provenance {
  const first = facts.first ?? 0n
  const records = facts.records ?? 1
  return {
    topic: 'events',
    partition: 0,
    follows: first === 0n ? undefined : first - 1n,
    first,
    last: first + BigInt(Math.max(1, records)) - 1n,
    records,
    bytes: 1000,
    polledAtMs: RECORDED_MS,
    traceparents: [],
    timings: [],
    ...facts,
  }
}

/** A batch of records at consecutive offsets. */
export function rawBatch(
  values: readonly (string | Uint8Array | null)[],
  origin: Origin & { readonly follows?: bigint | undefined } = {},
): Batch<Raw> {
  const payload = rawOf(values, origin)
  const first = origin.first ?? 0n
  const { topic, partition } = payload
  const provenance = provenanceOf({
    topic,
    partition,
    first,
    records: values.length,
    bytes: payload.bytes.length,
    ...('follows' in origin ? { follows: origin.follows } : {}),
  })
  return { provenance, payload }
}

/** Columns of these rows. */
export function columnsOf(schema: StructType, rows: readonly Readonly<Record<string, unknown>>[]): Columns {
  const builder = new StructBuilder(schema)
  for (const row of rows) {
    const fault = builder.append(row)
    if (fault !== undefined) throw new Error(fault)
  }
  return builder.finishColumns()
}

/** Rows in columns, one for each record of a batch at consecutive offsets. */
export function rowsOf(
  schema: StructType,
  rows: readonly Readonly<Record<string, unknown>>[],
  origin: Origin = {},
): Rows {
  return {
    raw: rawOf(
      rows.map(() => 'x'),
      origin,
    ),
    columns: columnsOf(schema, rows),
    records: Int32Array.from(rows.keys()),
    deadLetters: [],
    tombstones: 0,
    filtered: 0,
  }
}
