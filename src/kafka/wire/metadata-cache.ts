import { LRUCache } from 'lru-cache'
import type { ResponseBody } from './apis.ts'
import type { BrokerNode, ClusterMetadata, LeaderHint, PartitionMetadata, TopicMetadata } from './cluster.ts'
import { NO_UUID } from './schema.ts'

/** Limits the number of cached topics; the least recently requested topic is evicted. */
export const CACHED_TOPICS_MAX = 10_000
/** First version of Metadata with reliable leader epochs; brokers returned stale ones before (KAFKA-9212). */
const RELIABLE_EPOCHS_FROM = 9

interface CachedTopic {
  readonly metadata: TopicMetadata
  readonly requestedAtMs: number
  /** Newest leader epoch by partition, also of partitions that the last response did not report. */
  readonly epochs: ReadonlyMap<number, number>
}

/**
 * Caches the metadata of brokers and topics. Leader epochs never decrease (KIP-320), so a broker with stale metadata
 * cannot bring back an old leader. A topic that was deleted and created again, recognized by its new id, starts
 * without history.
 */
export class MetadataCache {
  #clusterId: string | null = null
  #nodes: ReadonlyMap<number, BrokerNode> = new Map()
  readonly #topics = new LRUCache<string, CachedTopic>({ max: CACHED_TOPICS_MAX })

  /** Null until a broker reports it. */
  get clusterId(): string | null {
    return this.#clusterId
  }

  /** Brokers in the last metadata response, and those named in other responses since. */
  get nodes(): readonly BrokerNode[] {
    return [...this.#nodes.values()]
  }

  node(nodeId: number): BrokerNode | undefined {
    return this.#nodes.get(nodeId)
  }

  /** Updates the cache with a Metadata response of `version`; topics that it does not contain stay unchanged. */
  update(response: ResponseBody<'Metadata'>, version: number, atMs: number): void {
    this.#clusterId = response.clusterId ?? this.#clusterId
    this.#nodes = new Map(
      response.brokers.map(({ nodeId, host, port, rack }) => [nodeId, { nodeId, host, port, rack }]),
    )
    for (const topic of response.topics) {
      if (topic.name === null) continue
      const metadata = topicMetadataOf(topic, topic.name, version)
      this.#keep(metadata, atMs)
    }
  }

  /** Adds a broker named in another response. */
  addNode(node: BrokerNode): void {
    this.#nodes = new Map([...this.#nodes, [node.nodeId, node]])
  }

  /** Updates the leader of a cached partition; ignores an epoch that is not newer, and topics that are not cached. */
  learnLeader(hint: LeaderHint): void {
    if (hint.node !== undefined) this.addNode(hint.node)
    const known = this.#topics.peek(hint.topic)
    if (known === undefined || hint.leaderEpoch <= (known.epochs.get(hint.partitionIndex) ?? -1)) return
    const { leaderId, leaderEpoch } = hint
    const partitions = known.metadata.partitions.map((place) =>
      place.partitionIndex === hint.partitionIndex
        ? { ...place, errorCode: 0, leaderId, leaderEpoch }
        : place,
    )
    const epochs = new Map([...known.epochs, [hint.partitionIndex, leaderEpoch]])
    this.#topics.set(hint.topic, { ...known, metadata: { ...known.metadata, partitions }, epochs })
  }

  /** Returns whether the topic was requested at or after `sinceMs` and has no error. */
  isFresh(topic: string, sinceMs: number): boolean {
    const known = this.#topics.peek(topic)
    return known !== undefined && known.requestedAtMs >= sinceMs && known.metadata.errorCode === 0
  }

  /** Returns the cached metadata of topics. */
  get(topics: readonly string[]): ClusterMetadata {
    const metadata = topics.flatMap((name): (readonly [string, TopicMetadata])[] => {
      const known = this.#topics.peek(name)
      return known === undefined ? [] : [[name, known.metadata]]
    })
    return { clusterId: this.#clusterId, brokers: this.nodes, topics: new Map(metadata) }
  }

  #keep(metadata: TopicMetadata, requestedAtMs: number): void {
    const known = this.#topics.peek(metadata.name)
    const isSame = known !== undefined && isSameTopic(known.metadata, metadata)
    const before = isSame ? known : undefined
    const partitions = metadata.partitions.map((place) => newerOf(place, before))
    const epochs = new Map(before?.epochs)
    for (const { partitionIndex, leaderEpoch } of partitions) {
      if (leaderEpoch > (epochs.get(partitionIndex) ?? -1)) epochs.set(partitionIndex, leaderEpoch)
    }
    this.#topics.set(metadata.name, { metadata: { ...metadata, partitions }, requestedAtMs, epochs })
  }
}

/**
 * Returns whether both are the same topic. A response without an id, such as one with an error, does not tell
 * otherwise.
 */
function isSameTopic(known: TopicMetadata, now: TopicMetadata): boolean {
  return known.topicId === now.topicId || known.topicId === NO_UUID || now.topicId === NO_UUID
}

function newerOf(place: PartitionMetadata, before: CachedTopic | undefined): PartitionMetadata {
  const known = before?.epochs.get(place.partitionIndex) ?? -1
  if (place.leaderEpoch < 0 || place.leaderEpoch >= known) return place
  const old = before?.metadata.partitions.find(
    ({ partitionIndex }) => partitionIndex === place.partitionIndex,
  )
  // If the newer metadata was lost with a response that lacked the partition, no leader is better than a stale one.
  return old?.leaderEpoch === known ? old : { ...place, leaderId: -1, leaderEpoch: known }
}

function topicMetadataOf(
  topic: ResponseBody<'Metadata'>['topics'][number],
  name: string,
  version: number,
): TopicMetadata {
  const partitions = topic.partitions
    .map((partition): PartitionMetadata => {
      const { partitionIndex, errorCode, leaderId, replicaNodes, isrNodes, offlineReplicas } = partition
      const leaderEpoch = version < RELIABLE_EPOCHS_FROM ? -1 : partition.leaderEpoch
      return { partitionIndex, errorCode, leaderId, leaderEpoch, replicaNodes, isrNodes, offlineReplicas }
    })
    .sort((a, b) => a.partitionIndex - b.partitionIndex)
  const { topicId, errorCode, isInternal } = topic
  return { name, topicId, errorCode, isInternal, partitions }
}
