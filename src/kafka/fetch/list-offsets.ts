import { systemClock, type Clock } from '../../core/clock.ts'
import { messageOf, PipelineError } from '../../core/errors.ts'
import type { Isolation } from '../records/read-records.ts'
import type { ResponseBody } from '../wire/apis.ts'
import type { Cluster, ClusterMetadata } from '../wire/cluster.ts'
import { BROKER_ERRORS, errorNameOf, isRetriable, refusalCodeOf } from '../wire/error-codes.ts'

/** Describes an offset to look up: the start or end of the log, or the first record at or after a time. */
export interface OffsetQuery {
  readonly topic: string
  readonly partition: number
  /** A number is a time in milliseconds since the epoch. With `read_committed`, `latest` is the last stable offset. */
  readonly at: 'earliest' | 'latest' | number
}

/** Holds an offset that was found. */
interface FoundOffset {
  readonly offset: bigint
  /** Leader epoch of the record at the offset; -1 if unknown. */
  readonly leaderEpoch: number
}

/** Configures a lookup of offsets. */
interface ListOffsetsOptions {
  readonly isolation: Isolation
  /** Maximum time until a broker's response, in milliseconds; the limit of the connection by default. */
  readonly timeoutMs?: number
  readonly clock?: Clock
}

const ATTEMPTS_MAX = 6
const PAUSE_MS = 100
const EARLIEST = -2n
const LATEST = -1n

type PartitionResponse = ResponseBody<'ListOffsets'>['topics'][number]['partitions'][number]
type Found = FoundOffset | undefined

/**
 * Looks up offsets at the leaders of the partitions, at all brokers in parallel. Resolves to a result for each query,
 * in order; `undefined` if no record is at or after the time. Tries retryable failures six times.
 * @throws KD_TOPIC_MISSING, KD_KAFKA_FORBIDDEN, KD_KAFKA_REFUSED, KD_KAFKA_UNREACHABLE, KD_SOURCE_FAILED
 */
export async function listOffsets(
  cluster: Pick<Cluster, 'metadata' | 'broker'>,
  queries: readonly OffsetQuery[],
  options: ListOffsetsOptions,
): Promise<readonly Found[]> {
  const found = new Map<OffsetQuery, Found>()
  const clock = options.clock ?? systemClock
  for (let attempt = 1; ; attempt++) {
    const left = queries.filter((query) => !found.has(query))
    if (left.length === 0) return queries.map((query) => found.get(query))
    try {
      const topics = [...new Set(left.map(({ topic }) => topic))]
      const metadata = await cluster.metadata(topics, { refresh: attempt > 1 })
      const failures = await queryLeaders(cluster, metadata, left, options, found)
      if (failures[0] !== undefined) throw failures[0]
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || !(error instanceof PipelineError) || !error.retryable) throw error
      await clock.sleep(PAUSE_MS * attempt)
    }
  }
}

/** Receives offsets as brokers answer. */
interface FoundOffsets {
  set(query: OffsetQuery, found: Found): void
}

/**
 * Sends the queries once to the leaders that `metadata` names, at all brokers in parallel, and passes what they answer to
 * `found`. Resolves to the failures, permanent ones first; never rejects.
 */
export async function queryLeaders(
  cluster: Pick<Cluster, 'broker'>,
  metadata: ClusterMetadata,
  queries: readonly OffsetQuery[],
  options: ListOffsetsOptions,
  found: FoundOffsets,
): Promise<readonly PipelineError[]> {
  const failures: PipelineError[] = []
  const byLeader = new Map<number, { query: OffsetQuery; leaderEpoch: number }[]>()
  for (const query of queries) {
    const topic = metadata.topics.get(query.topic)
    // A search for each of thousands of partitions would take seconds: they are ascending, and mostly complete.
    const likely = topic?.partitions[query.partition]
    const place =
      likely?.partitionIndex === query.partition
        ? likely
        : topic?.partitions.find(({ partitionIndex }) => partitionIndex === query.partition)
    if (place === undefined || place.leaderId < 0) {
      const code = topic?.errorCode ?? 0
      failures.push(failureOf(query, place === undefined && code === 0 ? UNKNOWN : code || NO_LEADER))
      continue
    }
    const { leaderEpoch } = place
    const group = byLeader.get(place.leaderId)
    if (group === undefined) byLeader.set(place.leaderId, [{ query, leaderEpoch }])
    else group.push({ query, leaderEpoch })
  }
  await Promise.all(
    Array.from(byLeader, async ([nodeId, group]) => {
      try {
        // A request may contain each partition only once.
        for (const part of splitDuplicates(group))
          failures.push(...(await queryLeader(cluster, nodeId, part, options, found)))
      } catch (error) {
        const isKnown = error instanceof PipelineError
        failures.push(
          isKnown ? error : new PipelineError('KD_SOURCE_FAILED', messageOf(error), {}, { cause: error }),
        )
      }
    }),
  )
  return failures.sort((a, b) => Number(a.retryable) - Number(b.retryable))
}

type Group = readonly { readonly query: OffsetQuery; readonly leaderEpoch: number }[]

function splitDuplicates(group: Group): readonly Group[] {
  const parts: (typeof group)[number][][] = []
  const times = new Map<string, number>()
  for (const each of group) {
    const key = keyOf(each.query.topic, each.query.partition)
    const time = times.get(key) ?? 0
    times.set(key, time + 1)
    ;(parts[time] ??= []).push(each)
  }
  return parts
}

/** Groups in one pass: a group may hold every partition of a process. */
function groupByTopic(group: Group): ReadonlyMap<string, Group> {
  const byTopic = new Map<string, Group[number][]>()
  for (const each of group) {
    const known = byTopic.get(each.query.topic)
    if (known === undefined) byTopic.set(each.query.topic, [each])
    else known.push(each)
  }
  return byTopic
}

async function queryLeader(
  cluster: Pick<Cluster, 'broker'>,
  nodeId: number,
  group: Group,
  { isolation, timeoutMs }: ListOffsetsOptions,
  found: FoundOffsets,
): Promise<readonly PipelineError[]> {
  const connection = await cluster.broker(nodeId)
  const { topics } = await connection.request(
    'ListOffsets',
    {
      replicaId: -1,
      isolationLevel: isolation === 'read_committed' ? 1 : 0,
      topics: Array.from(groupByTopic(group), ([name, ofTopic]) => ({
        name,
        partitions: ofTopic.map(({ query, leaderEpoch }) => ({
          partitionIndex: query.partition,
          currentLeaderEpoch: leaderEpoch,
          timestamp: timestampOf(query.at),
        })),
      })),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    },
    timeoutMs === undefined ? {} : { timeoutMs },
  )
  const responses = new Map<string, PartitionResponse>()
  for (const { name, partitions } of topics)
    for (const response of partitions) responses.set(keyOf(name, response.partitionIndex), response)
  const failures: PipelineError[] = []
  for (const { query } of group) {
    const response = responses.get(keyOf(query.topic, query.partition))
    if (response?.errorCode === 0) {
      const { offset, leaderEpoch } = response
      found.set(query, offset < 0n ? undefined : { offset, leaderEpoch })
    } else failures.push(failureOf(query, response?.errorCode ?? UNKNOWN))
  }
  return failures
}

const UNKNOWN = BROKER_ERRORS.UNKNOWN_TOPIC_OR_PARTITION.code
const NO_LEADER = BROKER_ERRORS.LEADER_NOT_AVAILABLE.code

function failureOf({ topic, partition }: OffsetQuery, errorCode: number): PipelineError {
  const detail = `expected an offset, got ${errorNameOf(errorCode)}`
  const code = errorCode === UNKNOWN ? 'KD_TOPIC_MISSING' : refusalCodeOf(errorNameOf(errorCode))
  const retryable = isRetriable(errorCode) || errorCode === BROKER_ERRORS.UNKNOWN_SERVER_ERROR.code
  return new PipelineError(code, detail, { topic, partition }, { retryable })
}

function timestampOf(at: OffsetQuery['at']): bigint {
  if (at === 'earliest') return EARLIEST
  return at === 'latest' ? LATEST : BigInt(at)
}

function keyOf(topic: string, partition: number): string {
  return `${topic} ${partition}`
}
