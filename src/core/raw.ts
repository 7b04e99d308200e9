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
  /** Ascending; not always contiguous (compaction, transactions). */
  readonly offsets: BigInt64Array
  /** Kafka timestamps, milliseconds since the epoch. */
  readonly timestampsMs: Float64Array
  /** Headers of record `i`, or `undefined`; the array is absent when no record has any. */
  readonly headers: readonly (Headers | undefined)[] | undefined
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
