import type { Headers, Raw } from '../../core/raw.ts'

/** Describes one record, with numbers as decimal digits. */
export interface KafkaRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Milliseconds since the epoch, as decimal digits. */
  readonly timestamp: string
  /** Decimal digits. */
  readonly offset: string
  readonly headers?: Readonly<Record<string, Buffer | string | (Buffer | string | null)[] | null | undefined>>
  /** Properties of its record batch; `timestampType` 1 means that the broker set the timestamp. */
  readonly batchContext?: { readonly timestampType?: number }
}

const NEWLINE = 10
const TRACEPARENTS_MAX = 128
const EMPTY = new Uint8Array(0)
const LOG_APPEND_TIME = 1

/**
 * Packs the records from offset `from` on into one `Raw`. Bytes are copied once, so that the response they came in can
 * be garbage-collected. Records must be in ascending order of offsets.
 */
export function pack(topic: string, partition: number, records: readonly KafkaRecord[], from: bigint): Raw {
  const start = firstAtOrAfter(records, from)
  const count = records.length - start
  const { valueBytes, keyBytes } = sizes(records, start)
  const bytes = Buffer.allocUnsafeSlow(valueBytes + count)
  const keys = keyBytes === 0 ? EMPTY : Buffer.allocUnsafeSlow(keyBytes)
  const valueStart = new Int32Array(count)
  const valueEnd = new Int32Array(count)
  const keyStart = new Int32Array(count)
  const keyEnd = new Int32Array(count)
  const offsets = new BigInt64Array(count)
  const timestampsMs = new Float64Array(count)
  let headers: (Headers | undefined)[] | undefined
  let appended: Uint8Array | undefined
  let at = 0
  let keyAt = 0
  for (let i = 0; i < count; i++) {
    // In bounds: `i + start < records.length`.
    const record = records[i + start] as KafkaRecord
    const { key, value } = record
    if (value === null) {
      valueStart[i] = -1
      valueEnd[i] = -1
    } else {
      valueStart[i] = at
      bytes.set(value, at)
      at += value.length
      valueEnd[i] = at
    }
    bytes[at++] = NEWLINE
    if (key === null) {
      keyStart[i] = -1
      keyEnd[i] = -1
    } else {
      keyStart[i] = keyAt
      keys.set(key, keyAt)
      keyAt += key.length
      keyEnd[i] = keyAt
    }
    offsets[i] = BigInt(record.offset)
    timestampsMs[i] = Number(record.timestamp)
    const carried = headersOf(record)
    if (carried !== undefined) {
      headers ??= new Array<Headers | undefined>(count).fill(undefined)
      headers[i] = carried
    }
    if (record.batchContext?.timestampType === LOG_APPEND_TIME) (appended ??= new Uint8Array(count))[i] = 1
  }
  return {
    topic,
    partition,
    count,
    bytes,
    valueStart,
    valueEnd,
    keys,
    keyStart,
    keyEnd,
    offsets,
    timestampsMs,
    headers,
    ...(appended === undefined ? {} : { appended }),
  }
}

/** Creates a `Raw` without records, for ranges of transaction markers, aborted or compacted records. */
export function emptyRaw(topic: string, partition: number): Raw {
  return pack(topic, partition, [], 0n)
}

/** Returns the `traceparent` headers of at most 128 evenly spaced records. */
export function traceparentsOf(raw: Raw): readonly string[] {
  const { headers, count } = raw
  if (headers === undefined) return []
  const taken = Math.min(count, TRACEPARENTS_MAX)
  const found: string[] = []
  for (let k = 0; k < taken; k++) {
    const value = headers[Math.floor((k * count) / taken)]?.['traceparent']
    const first = value === null || value instanceof Uint8Array ? value : value?.[0]
    if (first !== undefined && first !== null) found.push(Buffer.from(first).toString('latin1'))
  }
  return found
}

function firstAtOrAfter(records: readonly KafkaRecord[], from: bigint): number {
  const index = records.findIndex((record) => BigInt(record.offset) >= from)
  return index < 0 ? records.length : index
}

function sizes(records: readonly KafkaRecord[], start: number): { valueBytes: number; keyBytes: number } {
  let valueBytes = 0
  let keyBytes = 0
  for (let i = start; i < records.length; i++) {
    valueBytes += records[i]?.value?.length ?? 0
    keyBytes += records[i]?.key?.length ?? 0
  }
  return { valueBytes, keyBytes }
}

function headersOf(record: KafkaRecord): Headers | undefined {
  const { headers } = record
  if (headers === undefined) return undefined
  // The loop returns at the first header: most records have none, and Object.keys would allocate for each record.
  for (const _name in headers) return copyHeaders(headers)
  return undefined
}

function copyHeaders(headers: NonNullable<KafkaRecord['headers']>): Headers {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(copyOf) : copyOf(value),
    ]),
  )
}

function copyOf(value: Buffer | string | null | undefined): Uint8Array | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? Buffer.from(value) : Uint8Array.prototype.slice.call(value)
}
