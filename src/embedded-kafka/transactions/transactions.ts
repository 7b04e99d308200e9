import type { Clock } from '../../core/clock.ts'
import type { BrokerErrorName } from '../../kafka/wire/error-codes.ts'
import type { EmbeddedTopics } from '../topics.ts'

/** Holds an offset that a group commits. */
export interface StoredOffset {
  readonly offset: bigint
  readonly leaderEpoch: number
  readonly metadata: string | null
}

/** Identifies a producer in a request. */
export interface ProducerClaim {
  readonly producerId: bigint
  readonly producerEpoch: number
}

interface Transaction extends ProducerClaim {
  producerEpoch: number
  producerId: bigint
  timeoutMs: number
  /** Set while a transaction is open. */
  startedMs: number | undefined
  /** Partitions with records of the open transaction, as `topic/partition`. */
  partitions: Set<string>
  /** Offsets that the open transaction commits, by group and `topic/partition`. */
  offsets: Map<string, Map<string, StoredOffset>>
}

/** Applies the offsets that a transaction committed to their group. */
type CommitOffsets = (groupId: string, offsets: ReadonlyMap<string, StoredOffset>) => void

const EPOCH_MAX = 32_766
const TIMEOUT_MS_MAX = 900_000

/**
 * Coordinates transactions: hands out producer ids and epochs, knows which partitions an open transaction wrote to, and
 * ends it with a marker in each of them. A new epoch fences the producer before. Spec: KIP-98.
 */
export class Transactions {
  readonly #topics: EmbeddedTopics
  readonly #clock: Clock
  readonly #commitOffsets: CommitOffsets
  readonly #byId = new Map<string, Transaction>()
  #nextProducerId = 1_000n

  constructor(topics: EmbeddedTopics, clock: Clock, commitOffsets: CommitOffsets) {
    this.#topics = topics
    this.#clock = clock
    this.#commitOffsets = commitOffsets
  }

  /** Returns a producer's id and epoch. An open transaction of the same id is aborted first. */
  initProducer(
    transactionalId: string | null,
    timeoutMs: number,
  ): ProducerClaim | { readonly fault: BrokerErrorName } {
    if (transactionalId === null) return { producerId: this.#nextProducerId++, producerEpoch: 0 }
    if (timeoutMs <= 0 || timeoutMs > TIMEOUT_MS_MAX) return { fault: 'INVALID_TRANSACTION_TIMEOUT' }
    const former = this.#byId.get(transactionalId)
    if (former === undefined) {
      const made = this.#create(timeoutMs)
      this.#byId.set(transactionalId, made)
      return { producerId: made.producerId, producerEpoch: 0 }
    }
    former.timeoutMs = timeoutMs
    this.#raiseEpoch(former)
    if (former.startedMs !== undefined) this.#end(former, 'abort')
    return { producerId: former.producerId, producerEpoch: former.producerEpoch }
  }

  /** Adds partitions, as `topic/partition`, to the transaction of a producer, which opens it. */
  addPartitions(transactionalId: string, claim: ProducerClaim, keys: readonly string[]): BrokerErrorName {
    const found = this.#claimed(transactionalId, claim)
    if (typeof found === 'string') return found
    this.#open(found)
    for (const key of keys) found.partitions.add(key)
    return 'NONE'
  }

  /** Announces that a transaction commits offsets of a group. */
  addGroup(transactionalId: string, claim: ProducerClaim, groupId: string): BrokerErrorName {
    const found = this.#claimed(transactionalId, claim)
    if (typeof found === 'string') return found
    this.#open(found)
    if (!found.offsets.has(groupId)) found.offsets.set(groupId, new Map())
    return 'NONE'
  }

  /** Keeps offsets of a group until the transaction ends. */
  addOffsets(
    transactionalId: string,
    claim: ProducerClaim,
    groupId: string,
    offsets: ReadonlyMap<string, StoredOffset>,
  ): BrokerErrorName {
    const found = this.#claimed(transactionalId, claim)
    if (typeof found === 'string') return found
    const pending = found.offsets.get(groupId)
    if (pending === undefined) return 'INVALID_TXN_STATE'
    for (const [key, offset] of offsets) pending.set(key, offset)
    return 'NONE'
  }

  /** Ends the transaction of a producer. Without an open one, ending it again the same way is no fault. */
  end(transactionalId: string, claim: ProducerClaim, kind: 'commit' | 'abort'): BrokerErrorName {
    const found = this.#claimed(transactionalId, claim)
    if (typeof found === 'string') return found
    if (found.startedMs !== undefined) this.#end(found, kind)
    return 'NONE'
  }

  /** Returns why a producer may not append transactional records to a partition. */
  faultOfRecords(transactionalId: string | null, claim: ProducerClaim, key: string): BrokerErrorName {
    const found = this.#claimed(transactionalId ?? '', claim)
    if (typeof found === 'string') return found === 'PRODUCER_FENCED' ? 'INVALID_PRODUCER_EPOCH' : found
    return found.startedMs !== undefined && found.partitions.has(key) ? 'NONE' : 'INVALID_TXN_STATE'
  }

  /** Returns whether an open transaction commits offsets of these partitions of a group. */
  hasPending(groupId: string, keys: readonly string[]): boolean {
    return [...this.#byId.values()].some(({ offsets }) => {
      const pending = offsets.get(groupId)
      return pending !== undefined && keys.some((key) => pending.has(key))
    })
  }

  /** Aborts the transactions that are open longer than their producers allow, and fences these. */
  expire(): void {
    const nowMs = this.#clock.now()
    for (const one of this.#byId.values()) {
      if (one.startedMs === undefined || nowMs - one.startedMs <= one.timeoutMs) continue
      this.#raiseEpoch(one)
      this.#end(one, 'abort')
    }
  }

  #create(timeoutMs: number): Transaction {
    const producerId = this.#nextProducerId++
    return {
      ...{ producerId, producerEpoch: 0, timeoutMs, startedMs: undefined },
      ...{ partitions: new Set<string>(), offsets: new Map() },
    }
  }

  #claimed(transactionalId: string, claim: ProducerClaim): Transaction | BrokerErrorName {
    const found = this.#byId.get(transactionalId)
    if (found?.producerId !== claim.producerId) return 'INVALID_PRODUCER_ID_MAPPING'
    return found.producerEpoch === claim.producerEpoch ? found : 'PRODUCER_FENCED'
  }

  #open(one: Transaction): void {
    one.startedMs ??= this.#clock.now()
  }

  #raiseEpoch(one: Transaction): void {
    if (one.producerEpoch < EPOCH_MAX) one.producerEpoch++
    else if (one.startedMs === undefined) {
      one.producerId = this.#nextProducerId++
      one.producerEpoch = 0
    }
  }

  #end(one: Transaction, kind: 'commit' | 'abort'): void {
    const nowMs = this.#clock.now()
    for (const key of one.partitions) {
      const at = key.lastIndexOf('/')
      const log = this.#topics.named(key.slice(0, at))?.partitions[Number(key.slice(at + 1))]
      log?.endTransaction(kind, one, nowMs)
    }
    if (kind === 'commit') for (const [groupId, offsets] of one.offsets) this.#commitOffsets(groupId, offsets)
    one.startedMs = undefined
    one.partitions = new Set()
    one.offsets = new Map()
  }
}
