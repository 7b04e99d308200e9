import { keyOf, valueOf } from '../../../../src/core/raw.ts'
import { openRecordCodecs } from '../../../../src/kafka/records/record-codecs.ts'
import {
  readRecords,
  type RecordsResult,
  type RecordsRequest,
} from '../../../../src/kafka/records/read-records.ts'

/** Every codec, loaded once. */
export const CODECS = await openRecordCodecs()

/** Default request: all committed records from offset 0. */
export const REQUEST = {
  topic: 'orders',
  partition: 3,
  from: 0n,
  isolation: 'read_committed',
  lastStableOffset: -1n,
  codecs: CODECS,
} as const

/** A record as plain values. */
export interface SeenRecord {
  readonly offset: bigint
  readonly timestampMs: number
  readonly key: string | undefined
  readonly value: string | undefined
}

/** Reads a copy of bytes of a log, since reading writes over them; by default with `read_committed` from offset 0. */
export function readAll(records: Uint8Array, more: Partial<RecordsRequest> = {}): RecordsResult[] {
  return [...readRecords({ ...REQUEST, records: Uint8Array.from(records), ...more })]
}

/** Returns the records of all reads. */
export function seenOf(reads: readonly RecordsResult[]): SeenRecord[] {
  return reads.flatMap(({ raw }) =>
    Array.from(raw.offsets, (offset, i) => ({
      offset,
      timestampMs: raw.timestampsMs[i] as number,
      key: textOf(keyOf(raw, i)),
      value: textOf(valueOf(raw, i)),
    })),
  )
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1')
}
