/** A header's values by name, as Kafka carries them; several values of one name keep their order. */
export type Headers = Readonly<Record<string, Uint8Array | readonly Uint8Array[]>>

/**
 * Records of one fetch as bytes plus arrays of ranges, never an object per record.
 *
 * Value `i` is `bytes.subarray(valueStart[i], valueEnd[i])`; a tombstone has `valueStart[i] === -1`. One newline byte
 * stands after every value, so that a check of all bytes at once (UTF-8) cannot join two records.
 * Key `i` lies in `keys` the same way, with -1 for a null key.
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
  /** Ascending; not always contiguous (compaction, transactions); records that came in one message share theirs. */
  readonly offsets: BigInt64Array
  /** Kafka timestamps, milliseconds since the epoch. */
  readonly timestampsMs: Float64Array
  /** Headers of record `i`, or `undefined`; the array is absent when no record has any. */
  readonly headers: readonly (Headers | undefined)[] | undefined
  /** 1 where the broker set the timestamp of record `i`, 0 where the producer did; absent where it is 0 for all. */
  readonly appended?: Uint8Array | undefined
  /** Which records came in which message; absent where every message is one record. */
  readonly parts?: Parts | undefined
  /** Absent where the values are as Kafka has them, one a message. */
  readonly origin?: Origin | undefined
}

/** Records by the messages that held them: several, one or none each. */
export interface Parts {
  /** Messages of the batch, those without a record included. */
  readonly messages: number
  /** The message of record `i`, counted from 0 within the batch; ascending. */
  readonly message: Int32Array
}

/** The way back from values that a format made out of others. */
export interface Origin {
  /** Value `i` as a message of its own that reads as this one record: as Kafka has it where it is one there. */
  readonly message: (i: number) => Uint8Array | undefined
  /** A part of value `i`, in the frame and the compression in which the value came. */
  readonly framed: (i: number, part: Uint8Array) => Uint8Array
}

/** Bytes of value `i`, shared with the batch; `undefined` for a tombstone. */
export function valueOf(raw: Raw, i: number): Uint8Array | undefined {
  const start = raw.valueStart[i] as number
  return start < 0 ? undefined : raw.bytes.subarray(start, raw.valueEnd[i])
}

/** Bytes of key `i`, shared with the batch; `undefined` for a null key. */
export function keyOf(raw: Raw, i: number): Uint8Array | undefined {
  const start = raw.keyStart[i] as number
  return start < 0 ? undefined : raw.keys.subarray(start, raw.keyEnd[i])
}

/** The way back from the values of a batch, where they are as they came as well. */
export function originOf(raw: Raw): Origin {
  return raw.origin ?? { message: (i) => valueOf(raw, i), framed: (_, part) => part }
}

/** Which of its message's records record `i` is, from 0. */
export function partOf({ parts }: Raw, i: number): number {
  if (parts === undefined) return 0
  let first = i
  while (first > 0 && parts.message[first - 1] === parts.message[i]) first--
  return i - first
}

/**
 * How many messages a batch came in, how many records they held beyond one each, and how many held none:
 * messages + expanded = records + empty.
 */
export function messagesOf({ count, parts }: Raw): { messages: number; expanded: number; empty: number } {
  if (parts === undefined) return { messages: count, expanded: 0, empty: 0 }
  let held = 0
  for (let i = 0; i < count; i++) if (i === 0 || parts.message[i] !== parts.message[i - 1]) held++
  return { messages: parts.messages, expanded: count - held, empty: parts.messages - held }
}
