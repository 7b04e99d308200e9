import type { BatchHeader } from './batch-header.ts'
import { MalformedRecords } from './malformed-records.ts'
import type { RecordCursor } from './record-cursor.ts'

/** Describes an aborted transaction as listed in a fetch response. */
export interface AbortedTransaction {
  readonly producerId: bigint
  /** Offset of its first record in the partition; may be lower than the fetched offsets. */
  readonly firstOffset: bigint
}

type ProducedBatch = Pick<BatchHeader, 'producerId' | 'isControl' | 'isTransactional'>

const NO_PRODUCER = -1n
const ABORT = 0

/**
 * Decides which batches of one fetch response belong to aborted transactions. Call `isHidden` once for each batch, in
 * offset order. Sorts the transactions, because brokers list them in the order in which they ended (KAFKA-4818).
 */
export class AbortedFilter {
  readonly #byFirstOffset: readonly AbortedTransaction[]
  readonly #active = new Set<bigint>()
  #next = 0

  constructor(transactions: readonly AbortedTransaction[]) {
    this.#byFirstOffset = transactions.toSorted((a, b) =>
      a.firstOffset < b.firstOffset ? -1 : a.firstOffset > b.firstOffset ? 1 : 0,
    )
  }

  /**
   * Returns whether the records of a batch must be skipped. Always skips control batches; calls `isAbortMarker` for
   * those of a producer with an id, since an abort marker ends the producer's aborted transaction.
   */
  isHidden(batch: ProducedBatch, lastOffset: bigint, isAbortMarker: () => boolean): boolean {
    const { producerId, isControl, isTransactional } = batch
    if (producerId > NO_PRODUCER) {
      this.#activate(lastOffset)
      if (isControl) {
        if (isAbortMarker()) this.#active.delete(producerId)
      } else if (isTransactional && this.#active.has(producerId)) {
        return true
      }
    }
    return isControl
  }

  #activate(lastOffset: bigint): void {
    for (;;) {
      const transaction = this.#byFirstOffset[this.#next]
      if (transaction === undefined || transaction.firstOffset > lastOffset) return
      this.#active.add(transaction.producerId)
      this.#next++
    }
  }
}

/**
 * Returns whether the key of a control record marks an abort: version and type, two bytes each.
 * @throws MalformedRecords
 */
export function isAbortKey(bytes: Uint8Array, { keyStart, keyEnd }: RecordCursor): boolean {
  if (keyStart < 0 || keyEnd - keyStart < 4)
    throw new MalformedRecords('expected a control record with a key of at least four bytes')
  const view = new DataView(bytes.buffer, bytes.byteOffset + keyStart, 4)
  if (view.getInt16(0) < 0)
    throw new MalformedRecords(`expected a control record of version 0 or later, got ${view.getInt16(0)}`)
  return view.getInt16(2) === ABORT
}
