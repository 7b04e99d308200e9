/** Holds the headers of a Kafka record by name; several values of one name keep their order. A value may be null. */
export type Headers = Readonly<Record<string, Uint8Array | null | readonly (Uint8Array | null)[]>>

/**
 * Holds the records of one fetch as bytes plus arrays of ranges, never as an object per record.
 *
 * Value `i` is `bytes.subarray(valueStart[i], valueEnd[i])`; a tombstone has `valueStart[i] === -1`. A newline byte
 * follows every value, and values of a source have nothing but keys, newlines and zeros between them, so that one check of
 * all bytes (UTF-8) covers every record and joins no two of them.
 * Key `i` is in `keys` in the same way, with -1 for a null key; `keys` may be `bytes`.
 */
export interface Raw {
  readonly topic: string
  readonly partition: number
  readonly count: number
  readonly bytes: Uint8Array
  readonly valueStart: Int32Array
  readonly valueEnd: Int32Array
  readonly keys: Uint8Array
  readonly keyStart: Int32Array
  readonly keyEnd: Int32Array
  /** Ascending; not always contiguous (compaction, transactions); records of one message share its offset. */
  readonly offsets: BigInt64Array
  /** Kafka timestamps, milliseconds since the epoch. */
  readonly timestampsMs: Float64Array
  /**
   * Headers of record `i`, or `undefined`; the array is absent when no record has headers. Batches of a source decode the
   * headers of a record when its element is first read.
   */
  readonly headers: readonly (Headers | undefined)[] | undefined
  /** 1 where the broker set the timestamp of record `i` (LogAppendTime), 0 where the producer did; absent if all are 0. */
  readonly appended?: Uint8Array | undefined
  /** Assigns records to messages; absent if every message is one record. */
  readonly parts?: RecordsByMessage | undefined
  /** Absent if the values are the Kafka messages themselves, one value per message. */
  readonly origin?: Origin | undefined
}

/** Assigns records to the messages that contained them; a message contains several records, one or none. */
export interface RecordsByMessage {
  /** Messages of the batch, including messages without a record. */
  readonly messageCount: number
  /** Index of the message that contained record `i`, counted from 0 within the batch; ascending. */
  readonly messageIndex: Int32Array
}

/** Converts values that a format produced from Kafka messages back into messages. */
export interface Origin {
  /** Returns a message that decodes to record `i` alone: the Kafka message itself if it contains only this record. */
  readonly message: (i: number) => Uint8Array | undefined
  /** Wraps a part of value `i` in the frame and the compression of the original message. */
  readonly framed: (i: number, part: Uint8Array) => Uint8Array
}

/** Returns headers for `Raw.headers`: `decode` is called for a record when its element is first read. */
export function lazyHeaders(
  count: number,
  decode: (i: number) => Headers | undefined,
): NonNullable<Raw['headers']> {
  const headers = new Array<Headers | undefined>(count).fill(undefined)
  const isDecoded = new Uint8Array(count)
  return new Proxy(headers, {
    get(target, key, receiver) {
      const i = typeof key === 'string' ? Number(key) : -1
      // Undefined for all keys that are no index.
      if (isDecoded[i] === 0) {
        isDecoded[i] = 1
        target[i] = decode(i)
      }
      return Reflect.get(target, key, receiver) as unknown
    },
  })
}

/** Returns all values of the headers of one name, in order; none when there is no such header. */
export function headerValuesOf(headers: Headers | undefined, name: string): readonly (Uint8Array | null)[] {
  if (headers === undefined || !Object.hasOwn(headers, name)) return []
  const value = headers[name] as Headers[string]
  return value === null || value instanceof Uint8Array ? [value] : value
}

/** Returns the bytes of the names and values of headers. */
export function headerBytesOf(headers: Headers | undefined): number {
  let bytes = 0
  for (const name of Object.keys(headers ?? {}))
    for (const value of headerValuesOf(headers, name)) bytes += Buffer.byteLength(name) + (value?.length ?? 0)
  return bytes
}

/** 9999-12-31T23:59:59.999Z. Later times have no text that readers can parse. */
const TIMESTAMP_MS_MAX = 253_402_300_799_999

/**
 * Returns true when a Kafka timestamp in milliseconds is a time between 1970 and 9999. A record without a timestamp has
 * -1, and producers may set any number: everything else counts as no timestamp.
 */
export function isKafkaTimestamp(ms: number): boolean {
  return ms >= 0 && ms <= TIMESTAMP_MS_MAX
}

/** Milliseconds that a Kafka timestamp may be ahead of the clock of the process before it counts as from the future. */
export const CLOCK_SKEW_MS_MAX = 60_000

/**
 * Returns a Kafka timestamp in microseconds since the epoch, or null when it is no time between 1970 and 9999. It is a
 * `bigint` from the year 2255 on, where a double would not be exact.
 */
export function kafkaTimestampMicros(ms: number): number | bigint | null {
  if (!isKafkaTimestamp(ms)) return null
  const micros = Math.floor(ms) * 1000
  return Number.isSafeInteger(micros) ? micros : BigInt(Math.floor(ms)) * 1000n
}

/** Returns the bytes of value `i`, shared with the batch, or `undefined` for a tombstone. */
export function valueOf(raw: Raw, i: number): Uint8Array | undefined {
  const start = raw.valueStart[i] as number
  return start < 0 ? undefined : raw.bytes.subarray(start, raw.valueEnd[i])
}

/** Returns the size of the memory that holds values and keys, in bytes. */
export function heldBytesOf({ bytes, keys }: Raw): number {
  return bytes.length + (keys === bytes ? 0 : keys.length)
}

/** Returns the size of all values in bytes, without what lies between them. */
export function valueBytesOf({ count, valueStart, valueEnd }: Raw): number {
  let bytes = 0
  for (let i = 0; i < count; i++) bytes += (valueEnd[i] as number) - (valueStart[i] as number)
  return bytes
}

/** Returns the bytes of key `i`, shared with the batch, or `undefined` for a null key. */
export function keyOf(raw: Raw, i: number): Uint8Array | undefined {
  const start = raw.keyStart[i] as number
  return start < 0 ? undefined : raw.keys.subarray(start, raw.keyEnd[i])
}

/** Returns the origin of the values of a batch, also if the values are unchanged Kafka messages. */
export function originOf(raw: Raw): Origin {
  return raw.origin ?? { message: (i) => valueOf(raw, i), framed: (_, part) => part }
}

/** Returns the position of record `i` among the records of its message, counted from 0. */
export function partOf({ parts }: Raw, i: number): number {
  if (parts === undefined) return 0
  let first = i
  while (first > 0 && parts.messageIndex[first - 1] === parts.messageIndex[i]) first--
  return i - first
}

/**
 * Counts the messages of a batch, the records beyond one per message (`expanded`) and the messages without a record
 * (`empty`): messages + expanded = records + empty.
 */
export function messageCountsOf({ count, parts }: Raw): {
  messages: number
  expanded: number
  empty: number
} {
  if (parts === undefined) return { messages: count, expanded: 0, empty: 0 }
  let held = 0
  for (let i = 0; i < count; i++) if (i === 0 || parts.messageIndex[i] !== parts.messageIndex[i - 1]) held++
  return { messages: parts.messageCount, expanded: count - held, empty: parts.messageCount - held }
}
