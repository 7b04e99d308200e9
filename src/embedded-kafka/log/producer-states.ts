import type { StoredBatch } from './stored-batch.ts'

/** Names why a batch of an idempotent producer is refused, as an error of the protocol. */
export type SequenceFault = 'OUT_OF_ORDER_SEQUENCE_NUMBER' | 'INVALID_PRODUCER_EPOCH'

interface KnownBatch {
  readonly first: number
  readonly last: number
  readonly baseOffset: bigint
}

interface ProducerState {
  epoch: number
  /** The last batches, oldest first: a producer has at most five requests in flight. */
  batches: KnownBatch[]
}

/** Batches that are remembered for each producer. */
const BATCHES_MAX = 5
/** Producers that a partition remembers; the one that wrote longest ago is forgotten first. */
const PRODUCERS_MAX = 10_000
const SEQUENCE_MODULUS = 0x8000_0000

/**
 * Remembers the last sequence numbers of each idempotent producer of a partition, so that a batch that is sent again is
 * stored once and one that is missing is noticed. Spec: KIP-98, "Idempotent Producer Guarantees".
 */
export class ProducerStates {
  readonly #states = new Map<bigint, ProducerState>()

  /** Returns the offset of the first time for a batch that was here before, or why it is refused. */
  check(batch: StoredBatch): { readonly duplicateOf?: bigint; readonly fault?: SequenceFault } {
    const { header, producerEpoch, baseSequence } = batch
    if (header.producerId < 0n || header.isControl) return {}
    const state = this.#states.get(header.producerId)
    if (state === undefined) return {}
    if (producerEpoch < state.epoch) return { fault: 'INVALID_PRODUCER_EPOCH' }
    if (producerEpoch > state.epoch)
      return baseSequence === 0 ? {} : { fault: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }
    const last = lastSequenceOf(batch)
    const known = state.batches.find((one) => one.first === baseSequence && one.last === last)
    if (known !== undefined) return { duplicateOf: known.baseOffset }
    const newest = state.batches.at(-1)
    const isNext = newest === undefined || baseSequence === (newest.last + 1) % SEQUENCE_MODULUS
    return isNext ? {} : { fault: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }
  }

  /** Remembers a batch that was appended. A marker raises the epoch and forgets the sequence numbers of the one before. */
  note(batch: StoredBatch): void {
    const { header, producerEpoch, baseSequence, baseOffset } = batch
    const { producerId, isControl } = header
    if (producerId < 0n) return
    const former = this.#states.get(producerId)
    const state =
      former === undefined || producerEpoch > former.epoch ? { epoch: producerEpoch, batches: [] } : former
    if (!isControl)
      state.batches = [
        ...state.batches.slice(-(BATCHES_MAX - 1)),
        { first: baseSequence, last: lastSequenceOf(batch), baseOffset },
      ]
    this.#states.delete(producerId)
    this.#states.set(producerId, state)
    if (this.#states.size <= PRODUCERS_MAX) return
    const [oldest] = this.#states.keys()
    if (oldest !== undefined) this.#states.delete(oldest)
  }
}

function lastSequenceOf({ baseSequence, header }: StoredBatch): number {
  return (baseSequence + header.lastOffsetDelta) % SEQUENCE_MODULUS
}
