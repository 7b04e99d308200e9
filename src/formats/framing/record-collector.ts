import { lazyHeaders, type RecordsByMessage, type Raw } from '../../core/raw.ts'

/** Limit of the records that the messages of one batch contain. */
export const RECORDS_PER_BATCH_MAX = 4_000_000

/** Collects the records contained in the messages of a batch, in order. */
export class RecordCollector {
  readonly #raw: Raw
  readonly #message: number[] = []
  readonly #start: number[] = []
  readonly #end: number[] = []

  constructor(raw: Raw) {
    this.#raw = raw
  }

  get count(): number {
    return this.#message.length
  }

  /** Adds a record of message `i` with the range of its value; -1 twice for a record without a value. */
  add(i: number, start: number, end: number): void {
    this.#message.push(i)
    this.#start.push(start)
    this.#end.push(end)
  }

  /** Removes all records after the first `count`. */
  truncate(count: number): void {
    this.#message.length = this.#start.length = this.#end.length = count
  }

  /**
   * Returns the batch with these records. Their keys, offsets, timestamps and headers are those of their messages.
   */
  raw(bytes: Uint8Array): Raw & { readonly parts: RecordsByMessage } {
    const { headers, appended, count } = this.#raw
    const message = Int32Array.from(this.#message)
    const keyStart = new Int32Array(message.length)
    const keyEnd = new Int32Array(message.length)
    const offsets = new BigInt64Array(message.length)
    const timestampsMs = new Float64Array(message.length)
    for (let k = 0; k < message.length; k++) {
      const i = message[k] as number
      keyStart[k] = this.#raw.keyStart[i] as number
      keyEnd[k] = this.#raw.keyEnd[i] as number
      offsets[k] = this.#raw.offsets[i] as bigint
      timestampsMs[k] = this.#raw.timestampsMs[i] as number
    }
    return {
      topic: this.#raw.topic,
      partition: this.#raw.partition,
      count: message.length,
      bytes,
      valueStart: Int32Array.from(this.#start),
      valueEnd: Int32Array.from(this.#end),
      keys: this.#raw.keys,
      keyStart,
      keyEnd,
      offsets,
      timestampsMs,
      headers: headers && lazyHeaders(message.length, (k) => headers[message[k] as number]),
      appended: appended && Uint8Array.from(message, (i) => appended[i] as number),
      parts: { messageCount: count, messageIndex: message },
    }
  }
}
