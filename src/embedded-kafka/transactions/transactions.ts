import type { Clock } from '../../core/clock.ts'
import type { BrokerErrorName } from '../../kafka/wire/error-codes.ts'
import { NO_LEDGER, type Ledger } from '../ledger.ts'
import type { EmbeddedTopics } from '../topics.ts'
import type { StoredOffset } from './stored-offset.ts'
import {
  transactionFactOf,
  transactionOfFact,
  type ProducerClaim,
  type Transaction,
} from './transaction-facts.ts'

/** Applies the offsets that a transaction committed to their group. */
type CommitOffsets = (groupId: string, offsets: ReadonlyMap<string, StoredOffset>) => void

const EPOCH_MAX = 32_766
const TIMEOUT_MS_MAX = 900_000
/** Producer ids that are taken at once: those that were not handed out before a restart are never used. */
const IDS_TAKEN = 1_000n

/**
 * Coordinates transactions: hands out producer ids and epochs, knows which partitions an open transaction wrote to, and
 * ends it with a marker in each of them. A new epoch fences the producer before. Spec: KIP-98.
 */
export class Transactions {
  readonly #topics: EmbeddedTopics
  readonly #clock: Clock
  readonly #commitOffsets: CommitOffsets
  readonly #byId = new Map<string, Transaction>()
  readonly #ledger: Ledger
  #nextProducerId = 1_000n
  #takenBelow = 1_000n

  /** Finishes what a restart interrupted: transactions whose end was decided get their markers. */
  constructor(
    topics: EmbeddedTopics,
    clock: Clock,
    commitOffsets: CommitOffsets,
    ledger: Ledger = NO_LEDGER,
  ) {
    this.#topics = topics
    this.#clock = clock
    this.#commitOffsets = commitOffsets
    this.#ledger = ledger
    for (const [, next] of ledger.facts('producer-ids'))
      this.#nextProducerId = this.#takenBelow = BigInt(next as string)
    for (const [[id = ''], fact] of ledger.facts('transaction')) {
      const one = transactionOfFact(id, fact)
      this.#byId.set(id, one)
      if (one.ending !== undefined) this.#finish(one, one.ending, true)
    }
  }

  /** Returns a producer's id and epoch. An open transaction of the same id is aborted first. */
  initProducer(
    transactionalId: string | null,
    timeoutMs: number,
  ): ProducerClaim | { readonly fault: BrokerErrorName } {
    if (transactionalId === null) return { producerId: this.#newProducerId(), producerEpoch: 0 }
    if (timeoutMs <= 0 || timeoutMs > TIMEOUT_MS_MAX) return { fault: 'INVALID_TRANSACTION_TIMEOUT' }
    const former = this.#byId.get(transactionalId)
    if (former === undefined) {
      const made = this.#create(transactionalId, timeoutMs)
      this.#save(made)
      this.#byId.set(transactionalId, made)
      return { producerId: made.producerId, producerEpoch: 0 }
    }
    former.timeoutMs = timeoutMs
    this.#raiseEpoch(former)
    if (former.startedMs !== undefined) this.#end(former, 'abort')
    else this.#save(former)
    return { producerId: former.producerId, producerEpoch: former.producerEpoch }
  }

  /** Adds partitions, as `topic/partition`, to the transaction of a producer, which opens it. */
  addPartitions(transactionalId: string, claim: ProducerClaim, keys: readonly string[]): BrokerErrorName {
    const found = this.#claimed(transactionalId, claim)
    if (typeof found === 'string') return found
    this.#open(found)
    for (const key of keys) found.partitions.add(key)
    this.#save(found)
    return 'NONE'
  }

  /** Announces that a transaction commits offsets of a group. */
  addGroup(transactionalId: string, claim: ProducerClaim, groupId: string): BrokerErrorName {
    const found = this.#claimed(transactionalId, claim)
    if (typeof found === 'string') return found
    this.#open(found)
    if (!found.offsets.has(groupId)) found.offsets.set(groupId, new Map())
    this.#save(found)
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
    this.#save(found)
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

  #create(id: string, timeoutMs: number): Transaction {
    const producerId = this.#newProducerId()
    return {
      ...{ id, ending: undefined, producerId, producerEpoch: 0, timeoutMs, startedMs: undefined },
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
      one.producerId = this.#newProducerId()
      one.producerEpoch = 0
    }
  }

  #end(one: Transaction, kind: 'commit' | 'abort'): void {
    // From here on the transaction ends this way, whatever happens to the process.
    one.ending = kind
    this.#save(one)
    this.#finish(one, kind, false)
  }

  /** Writes the markers; after a restart only where there is none yet. */
  #finish(one: Transaction, kind: 'commit' | 'abort', isRestart: boolean): void {
    const nowMs = this.#clock.now()
    for (const key of one.partitions) {
      const at = key.lastIndexOf('/')
      const log = this.#topics.named(key.slice(0, at))?.partitions[Number(key.slice(at + 1))]
      if (!isRestart || log?.hasOpen(one.producerId) === true) log?.endTransaction(kind, one, nowMs)
    }
    if (kind === 'commit') for (const [groupId, offsets] of one.offsets) this.#commitOffsets(groupId, offsets)
    one.startedMs = undefined
    one.ending = undefined
    one.partitions = new Set()
    one.offsets = new Map()
    this.#save(one)
  }

  #save(one: Transaction): void {
    this.#ledger.set([[['transaction', one.id], transactionFactOf(one)]])
  }

  #newProducerId(): bigint {
    if (this.#nextProducerId >= this.#takenBelow) {
      this.#takenBelow = this.#nextProducerId + IDS_TAKEN
      this.#ledger.set([[['producer-ids'], this.#takenBelow.toString()]])
    }
    return this.#nextProducerId++
  }
}
