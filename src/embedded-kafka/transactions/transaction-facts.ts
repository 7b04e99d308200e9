import { offsetFactOf, offsetOfFact, type StoredOffset } from './stored-offset.ts'

/** Identifies a producer in a request. */
export interface ProducerClaim {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** Holds what the coordinator knows of a transactional id. */
export interface Transaction extends ProducerClaim {
  readonly id: string
  producerEpoch: number
  producerId: bigint
  timeoutMs: number
  /** Set while a transaction is open. */
  startedMs: number | undefined
  /** Set from when its end is decided until the markers are in all partitions. */
  ending: 'commit' | 'abort' | undefined
  /** Partitions with records of the open transaction, as `topic/partition`. */
  partitions: Set<string>
  /** Offsets that the open transaction commits, by group and `topic/partition`. */
  offsets: Map<string, Map<string, StoredOffset>>
}

interface TransactionFact {
  readonly producerId: string
  readonly producerEpoch: number
  readonly timeoutMs: number
  readonly startedMs?: number
  readonly ending?: 'commit' | 'abort'
  readonly partitions: readonly string[]
  readonly offsets: readonly (readonly [groupId: string, offsets: readonly (readonly [string, unknown])[]])[]
}

/** Returns a transaction as JSON knows it. */
export function transactionFactOf(one: Transaction): unknown {
  const fact: TransactionFact = {
    producerId: one.producerId.toString(),
    producerEpoch: one.producerEpoch,
    timeoutMs: one.timeoutMs,
    ...(one.startedMs === undefined ? {} : { startedMs: one.startedMs }),
    ...(one.ending === undefined ? {} : { ending: one.ending }),
    partitions: [...one.partitions],
    offsets: [...one.offsets].map(([groupId, offsets]) => [
      groupId,
      [...offsets].map(([key, offset]) => [key, offsetFactOf(offset)] as const),
    ]),
  }
  return fact
}

/** Returns the transaction of a `transactionFactOf`. */
export function transactionOfFact(id: string, value: unknown): Transaction {
  const fact = value as TransactionFact
  return {
    ...{ id, producerId: BigInt(fact.producerId), producerEpoch: fact.producerEpoch },
    ...{ timeoutMs: fact.timeoutMs, startedMs: fact.startedMs, ending: fact.ending },
    partitions: new Set(fact.partitions),
    offsets: new Map(
      fact.offsets.map(([groupId, offsets]) => [
        groupId,
        new Map(offsets.map(([key, offset]) => [key, offsetOfFact(offset)])),
      ]),
    ),
  }
}
