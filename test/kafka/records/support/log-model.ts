import type { CodecName } from '../../../../src/compression/compression.ts'
import type { AbortedTransaction } from '../../../../src/kafka/records/aborted.ts'
import type { RecordCodecs } from '../../../../src/kafka/records/record-codecs.ts'
import type { Isolation } from '../../../../src/kafka/records/read-records.ts'
import { encodeBatch, encodeMarker, type PlainRecord } from './encode.ts'

/** Returns a random integer below `end`. */
export type Chance = (end: number) => number

/** Returns a deterministic random generator (mulberry32). */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0
  return (end) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end
  }
}

interface Entry {
  readonly first: bigint
  readonly last: bigint
  readonly bytes: Buffer
}

interface WrittenRecord {
  readonly offset: bigint
  readonly text: string
  /** Index of the transaction that it belongs to. */
  readonly transaction: number | undefined
}

interface Transaction {
  readonly producerId: bigint
  readonly first: bigint
  /** Offset of its marker; `undefined` while it is open. */
  end: bigint | undefined
  isAborted: boolean
}

/** The response of a broker to a fetch. */
export interface FetchAnswer {
  readonly records: Buffer
  readonly abortedTransactions: readonly AbortedTransaction[]
  readonly lastStableOffset: bigint
}

const KEYS: readonly (Buffer | null)[] = [null, Buffer.alloc(4), Buffer.from([0, 0, 0, 1]), Buffer.from('k')]
const CODECS = [undefined, undefined, undefined, 'gzip', 'snappy', 'lz4', 'zstd'] as const

/**
 * Models a partition's log with random records and transactions, the fetch responses of a broker, and the visible
 * records.
 */
export class LogModel {
  readonly #chance: Chance
  readonly #codecs: RecordCodecs
  readonly #entries: Entry[] = []
  readonly #written: WrittenRecord[] = []
  readonly #transactions: Transaction[] = []
  #end: bigint

  constructor(chance: Chance, codecs: RecordCodecs) {
    this.#chance = chance
    this.#codecs = codecs
    this.#end = BigInt(chance(3) * chance(1000))
    const steps = 3 + chance(14)
    for (let step = 0; step < steps; step++) this.#step()
  }

  get first(): bigint {
    return this.#entries[0]?.first ?? this.#end
  }

  get end(): bigint {
    return this.#end
  }

  /** Offset of the first open transaction, or the end. */
  get lastStableOffset(): bigint {
    const open = this.#transactions.filter(({ end }) => end === undefined).map(({ first }) => first)
    return open.reduce((least, first) => (first < least ? first : least), this.#end)
  }

  /** Returns the records that are visible from `from` on. */
  visible(from: bigint, isolation: Isolation): readonly string[] {
    const stable = this.lastStableOffset
    return this.#written
      .filter(({ offset, transaction }) => {
        if (offset < from) return false
        if (isolation === 'read_uncommitted') return true
        if (offset >= stable) return false
        return transaction === undefined || this.#transactions[transaction]?.isAborted === false
      })
      .map(({ text }) => text)
  }

  /** Returns at least one batch if there is one, and truncates the last at `bytesMax`. */
  fetch(from: bigint, isolation: Isolation, bytesMax: number): FetchAnswer {
    const stable = this.lastStableOffset
    const limit = isolation === 'read_committed' ? stable : this.#end
    const entries = this.#entries.filter(({ first, last }) => last >= from && first < limit)
    const all = Buffer.concat(entries.map(({ bytes }) => bytes))
    const records = all.subarray(0, Math.max(bytesMax, entries[0]?.bytes.length ?? 0))
    // A broker determines the upper end by its index, so it sometimes lists transactions past the sent records.
    let upper = from
    let length = 0
    for (const { last, bytes } of entries) {
      if (length >= records.length && this.#chance(2) === 0) break
      length += bytes.length
      upper = last + 1n
    }
    // Transactions are listed in the order of their ends.
    const abortedTransactions = this.#transactions
      .filter(({ isAborted, end, first }) => isAborted && end !== undefined && end >= from && first < upper)
      .sort((a, b) => Number((a.end as bigint) - (b.end as bigint)))
      .map(({ producerId, first }) => ({ producerId, firstOffset: first }))
    return { records, abortedTransactions, lastStableOffset: stable }
  }

  #step(): void {
    const chance = this.#chance
    const producerId = BigInt(chance(4))
    const open = this.#transactions.findIndex(
      (each) => each.producerId === producerId && each.end === undefined,
    )
    const choice = chance(10)
    if (choice < 4 && open >= 0) this.#endTransaction(open)
    else if (choice < 8) this.#write(producerId, open)
    // Not transactional: from an idempotent producer, or from one without an id.
    else this.#write(choice === 8 ? 100n : undefined, undefined)
  }

  #endTransaction(index: number): void {
    const transaction = this.#transactions[index] as Transaction
    transaction.end = this.#end
    transaction.isAborted = this.#chance(2) === 0
    this.#push(
      this.#end,
      encodeMarker(this.#end, transaction.producerId, transaction.isAborted ? 'abort' : 'commit'),
    )
  }

  #write(producerId: bigint | undefined, open: number | undefined): void {
    const chance = this.#chance
    const baseOffset = this.#end
    const count = 1 + chance(4)
    // A compacted batch lacks some or all records and keeps its range of offsets.
    const isCompacted = chance(5) === 0
    const last = baseOffset + BigInt(count - 1)
    let transaction = open
    if (transaction === -1) {
      transaction = this.#transactions.length
      this.#transactions.push({
        producerId: producerId ?? -1n,
        first: baseOffset,
        end: undefined,
        isAborted: false,
      })
    }
    const records: PlainRecord[] = []
    for (let offsetDelta = 0; offsetDelta < count; offsetDelta++) {
      if (isCompacted && chance(2) === 0) continue
      const offset = baseOffset + BigInt(offsetDelta)
      const key = KEYS[chance(KEYS.length)] ?? null
      const value = chance(6) === 0 ? null : Buffer.from(`v${offset}`.repeat(1 + chance(3)))
      records.push({ key, value, offsetDelta, timestampMs: Number(offset) })
      this.#written.push({ offset, text: textOf(offset, key, value), transaction })
    }
    const codec: CodecName | undefined = CODECS[chance(CODECS.length)]
    const batch = {
      baseOffset,
      records,
      lastOffsetDelta: count - 1,
      ...(producerId === undefined ? {} : { producerId }),
      isTransactional: transaction !== undefined,
      ...(codec === undefined || records.length === 0 ? {} : { codec }),
    }
    // Compaction may also remove a complete batch, which leaves a gap; first batches of transactions are kept here.
    if (records.length === 0 && open !== -1 && chance(2) === 0) this.#end = last + 1n
    else this.#push(last, encodeBatch(batch, this.#codecs))
  }

  #push(last: bigint, bytes: Buffer): void {
    this.#entries.push({ first: this.#end, last, bytes })
    this.#end = last + 1n
  }
}

/** Returns a record as text. */
export function textOf(offset: bigint, key: Uint8Array | null, value: Uint8Array | null): string {
  const hex = (bytes: Uint8Array | null): string =>
    bytes === null ? 'null' : Buffer.from(bytes).toString('hex')
  return `${offset} ${hex(key)} ${hex(value)}`
}
