import type { Clock } from '../../core/clock.ts'
import type { ApiName, ReceivedRequest, SentResponse } from '../../kafka/wire/apis.ts'
import { BROKER_ERRORS, type BrokerErrorName } from '../../kafka/wire/error-codes.ts'
import type { GroupCoordinator } from '../groups/group-coordinator.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import type { EmbeddedTopic, EmbeddedTopics } from '../topics.ts'
import type { Transactions } from '../transactions/transactions.ts'

/** Holds what the handlers of requests work with. */
export interface BrokerState {
  readonly topics: EmbeddedTopics
  readonly groups: GroupCoordinator
  readonly transactions: Transactions
  readonly clock: Clock
  readonly host: string
  readonly port: number
  readonly clusterId: string
  /** Bytes that all records may take. */
  readonly bytesMax: number
  /** Partitions of a topic that is created by a request for its metadata; such topics are not created without it. */
  readonly autoCreatePartitions: number | undefined
  /** Receives the errors for which a connection is cut. */
  readonly onError: (error: unknown) => void
  /** Aborts when the broker stops, which ends all waits. */
  readonly signal: AbortSignal
}

/** Describes where a request comes from. */
export interface RequestOrigin {
  readonly version: number
  readonly clientId: string
  /** Keeps the fetch sessions of its connection's client. */
  readonly connection: object
}

/** An answer but for the throttle time, which the broker never asks for. */
export type Answer<A extends ApiName> = Omit<SentResponse<A>, 'throttleTimeMs'>

/** Answers the requests of one API. */
export type Handler<A extends ApiName> = (
  body: ReceivedRequest<A>,
  state: BrokerState,
  origin: RequestOrigin,
) => Answer<A> | Promise<Answer<A>>

/** The id of the only broker. */
export const NODE_ID = 1

/** Returns the number of an error in responses. */
export function codeOf(name: BrokerErrorName): number {
  return BROKER_ERRORS[name].code
}

/** Returns a partition of a topic, or the error for requests of one that does not exist. */
export function findPartition(
  topics: EmbeddedTopics,
  wanted: { readonly topicId?: string; readonly name: string },
  partition: number,
): { readonly topic: EmbeddedTopic; readonly log: PartitionLog } | BrokerErrorName {
  const topic = topics.find(wanted)
  if (topic === undefined) return wanted.name === '' ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'
  const log = topic.partitions[partition]
  return log === undefined ? 'UNKNOWN_TOPIC_OR_PARTITION' : { topic, log }
}

/** Returns the error for a request of a client that knows another leader epoch; -1 stands for none. */
export function epochFaultOf({ leaderEpoch }: PartitionLog, known: number): BrokerErrorName {
  if (known < 0 || known === leaderEpoch) return 'NONE'
  return known < leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
}
