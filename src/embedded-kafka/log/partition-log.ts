import { endMarkerOf, endOfMarker } from './control-batch.ts'
import type { LogStore, StoredLog } from './log-store.ts'
import { ProducerStates, type SequenceFault } from './producer-states.ts'
import { storedBatchOf, toStoredBatches, type StoredBatch } from './stored-batch.ts'

/** Names an aborted transaction of a partition: the producer and the offset of its first record. */
export interface AbortedRange {
  readonly producerId: bigint
  readonly firstOffset: bigint
  /** Offset of its marker. */
  readonly lastOffset: bigint
}

/** Says where records of a produce request are. */
export interface Appended {
  readonly baseOffset: bigint
  readonly fault?: SequenceFault
}

/**
 * Keeps the record batches of one partition in memory, in the order of their offsets, with what consumers and
 * transactions ask of them: start and end, the last stable offset, aborted transactions, offsets by timestamp.
 */
export class PartitionLog {
  leaderEpoch = 0
  #batches: StoredBatch[] = []
  #start = 0n
  #end = 0n
  #bytes = 0
  readonly #producers = new ProducerStates()
  /** First offset of each open transaction, by producer id. */
  readonly #open = new Map<bigint, bigint>()
  #aborted: AbortedRange[] = []
  readonly #listeners = new Set<() => void>()
  /** Ends of the leader epochs before this one. */
  readonly #epochEnds = new Map<number, bigint>()
  readonly #store: LogStore | undefined

  /** Without a store the records end with the process. */
  constructor(store?: LogStore) {
    this.#store = store
    const stored = store?.load()
    if (stored === undefined) return
    this.leaderEpoch = stored.leaderEpoch
    for (const [epoch, end] of stored.epochEnds) this.#epochEnds.set(epoch, end)
    this.#start = stored.start
    this.#end = stored.end
    for (const batch of stored.batches) this.#add(batch)
  }

  /** First offset that can be read. */
  get start(): bigint {
    return this.#start
  }

  /** Offset that the next record will have. All replicas being here, it is the high watermark too. */
  get end(): bigint {
    return this.#end
  }

  /** Bytes of all batches. */
  get bytes(): number {
    return this.#bytes
  }

  /** The offset below which every transaction has ended. */
  get lastStable(): bigint {
    let stable = this.#end
    for (const first of this.#open.values()) if (first < stable) stable = first
    return stable
  }

  /**
   * Appends the batches of a produce request. Batches of an idempotent producer that are here already are not appended
   * again: the offset is that of the first time.
   * @throws RefusedRecords
   */
  append(records: Uint8Array): Appended {
    const batches = toStoredBatches(records, this.#end, this.leaderEpoch)
    const first = batches[0]
    if (first === undefined) return { baseOffset: this.#end }
    for (const batch of batches) {
      const known = this.#producers.check(batch)
      if (known.fault !== undefined) return { baseOffset: -1n, fault: known.fault }
      if (known.duplicateOf !== undefined) return { baseOffset: known.duplicateOf }
    }
    // What cannot be stored is not there: nobody reads records that a restart would forget.
    this.#store?.append(batches)
    for (const batch of batches) this.#add(batch)
    this.#wake()
    return { baseOffset: first.baseOffset }
  }

  /** Ends the transaction of a producer with a marker; without an open transaction the marker stands alone, as in Kafka. */
  endTransaction(
    kind: 'commit' | 'abort',
    producer: { readonly producerId: bigint; readonly producerEpoch: number },
    nowMs: number,
  ): void {
    const marker = storedBatchOf(endMarkerOf(kind, { ...producer, offset: this.#end, nowMs }))
    this.#store?.append([marker])
    this.#add(marker)
    this.#wake()
  }

  /** Returns whether a producer has records here whose transaction has not ended. */
  hasOpen(producerId: bigint): boolean {
    return this.#open.has(producerId)
  }

  /**
   * Returns the batches from the one that holds `offset` up to `before`, at least one if there is one, and no more than
   * `bytesMax` otherwise.
   */
  read(offset: bigint, before: bigint, bytesMax: number): readonly StoredBatch[] {
    const found: StoredBatch[] = []
    let bytes = 0
    for (let i = this.#indexOf(offset); i < this.#batches.length; i++) {
      const batch = this.#batches[i] as StoredBatch
      if (batch.baseOffset >= before || (found.length > 0 && bytes + batch.bytes.length > bytesMax)) break
      found.push(batch)
      bytes += batch.bytes.length
    }
    return found
  }

  /** Returns the aborted transactions with records in [from, before), in the order of their markers. */
  abortedIn(from: bigint, before: bigint): readonly AbortedRange[] {
    return this.#aborted.filter(({ firstOffset, lastOffset }) => lastOffset >= from && firstOffset < before)
  }

  /** Returns offset and timestamp of the first batch with a record of that time or later; `undefined` without one. */
  findByTime(timestampMs: bigint): StoredBatch | undefined {
    return this.#batches.find(({ header }) => header.maxTimestampMs >= timestampMs)
  }

  /** Returns the batch with the newest timestamp. */
  newest(): StoredBatch | undefined {
    return this.#batches.reduce<StoredBatch | undefined>(
      (newest, batch) =>
        newest === undefined || batch.header.maxTimestampMs > newest.header.maxTimestampMs ? batch : newest,
      undefined,
    )
  }

  /** Returns the end of a leader epoch that is not newer than the present one. */
  endOfEpoch(epoch: number): bigint {
    return this.#epochEnds.get(epoch) ?? this.#end
  }

  /** Drops all records before `offset`: whole batches are forgotten, a part of a batch cannot be read any more. */
  dropBefore(offset: bigint): void {
    if (offset <= this.#start) return
    this.#start = offset < this.#end ? offset : this.#end
    const kept = this.#batches.findIndex(({ lastOffset }) => lastOffset >= this.#start)
    const dropped = this.#batches.splice(0, kept < 0 ? this.#batches.length : kept)
    this.#bytes -= dropped.reduce((sum, { bytes }) => sum + bytes.length, 0)
    this.#aborted = this.#aborted.filter(({ lastOffset }) => lastOffset >= this.#start)
    this.#store?.rewrite(this.#stored())
    this.#wake()
  }

  /** Forgets all records from `offset` on, as a leader without them does after an unclean election. */
  truncate(offset: bigint): void {
    const kept = this.#batches.filter(({ lastOffset }) => lastOffset < offset)
    this.#batches = kept
    this.#end = kept.at(-1) === undefined ? this.#start : (kept.at(-1) as StoredBatch).lastOffset + 1n
    this.#bytes = kept.reduce((sum, { bytes }) => sum + bytes.length, 0)
    this.#epochEnds.set(this.leaderEpoch++, this.#end)
    for (const [producer, first] of this.#open) if (first >= this.#end) this.#open.delete(producer)
    this.#aborted = this.#aborted.filter(({ lastOffset }) => lastOffset < this.#end)
    this.#store?.rewrite(this.#stored())
    this.#wake()
  }

  /** Calls `wake` after each change until the returned function is called. */
  onChange(wake: () => void): () => void {
    this.#listeners.add(wake)
    return () => this.#listeners.delete(wake)
  }

  #add(batch: StoredBatch): void {
    this.#batches.push(batch)
    this.#bytes += batch.bytes.length
    this.#end = batch.lastOffset + 1n
    this.#producers.note(batch)
    const { isTransactional, isControl, producerId } = batch.header
    if (!isTransactional) return
    const firstOffset = this.#open.get(producerId)
    if (!isControl) {
      if (firstOffset === undefined) this.#open.set(producerId, batch.baseOffset)
      return
    }
    this.#open.delete(producerId)
    if (endOfMarker(batch.bytes) === 'abort' && firstOffset !== undefined)
      this.#aborted.push({ producerId, firstOffset, lastOffset: batch.baseOffset })
  }

  #stored(): StoredLog {
    return {
      ...{ start: this.#start, end: this.#end, leaderEpoch: this.leaderEpoch },
      ...{ epochEnds: [...this.#epochEnds], batches: this.#batches },
    }
  }

  /** Returns the position of the batch with `offset`, or of the first after it. */
  #indexOf(offset: bigint): number {
    let low = 0
    let high = this.#batches.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#batches[middle] as StoredBatch).lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  #wake(): void {
    for (const wake of [...this.#listeners]) wake()
  }
}
