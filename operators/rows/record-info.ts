import { keyOf, type Raw } from '../../src/core/raw.ts'

/** Describes the Kafka record of a row. */
export interface RecordInfo {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Kafka timestamp, in milliseconds since the epoch. */
  readonly timestampMs: number
  readonly key: Uint8Array | undefined
}

/** Returns the description of record `record` of a batch. */
export function recordInfoOf(raw: Raw, record: number): RecordInfo {
  return {
    topic: raw.topic,
    partition: raw.partition,
    offset: raw.offsets[record] as bigint,
    timestampMs: raw.timestampsMs[record] as number,
    key: keyOf(raw, record),
  }
}

/**
 * Returns a function that describes the records of a batch. For a function that does not take the record, the description
 * is always the same object, which looks values up when they are read after all: keys and offsets of all records cost more
 * than a short function.
 */
export function recordInfosFor(raw: Raw, isTaken: boolean): (record: number) => RecordInfo {
  if (isTaken) return (record) => recordInfoOf(raw, record)
  const unread = new UnreadInfo(raw)
  return (record) => {
    unread.record = record
    return unread
  }
}

class UnreadInfo implements RecordInfo {
  readonly #raw: Raw
  record = 0

  constructor(raw: Raw) {
    this.#raw = raw
  }

  get topic(): string {
    return this.#raw.topic
  }

  get partition(): number {
    return this.#raw.partition
  }

  get offset(): bigint {
    return this.#raw.offsets[this.record] as bigint
  }

  get timestampMs(): number {
    return this.#raw.timestampsMs[this.record] as number
  }

  get key(): Uint8Array | undefined {
    return keyOf(this.#raw, this.record)
  }
}
