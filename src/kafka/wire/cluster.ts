import type { BrokerConnection } from './broker.ts'

/** Describes a broker and its address. */
export interface BrokerNode {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Describes the leader and the replicas of a partition. */
export interface PartitionMetadata {
  readonly partitionIndex: number
  /** Error code of the partition in the metadata; 0 if there is no error. */
  readonly errorCode: number
  /** Node id of the leader; -1 if the partition has no leader. */
  readonly leaderId: number
  /** Never decreases (KIP-320); -1 if the broker is too old to report it. */
  readonly leaderEpoch: number
  readonly replicaNodes: readonly number[]
  readonly isrNodes: readonly number[]
  readonly offlineReplicas: readonly number[]
}

/** Describes a topic and its partitions. */
export interface TopicMetadata {
  readonly name: string
  /** 32 hex digits; `NO_UUID` if the broker is too old to report it or the topic does not exist. */
  readonly topicId: string
  /** Error code of the topic in the metadata, such as UNKNOWN_TOPIC_OR_PARTITION; 0 if there is no error. */
  readonly errorCode: number
  readonly isInternal: boolean
  /** Ascending by index. */
  readonly partitions: readonly PartitionMetadata[]
}

/** Describes the brokers of a cluster and the requested topics. */
export interface ClusterMetadata {
  readonly clusterId: string | null
  readonly brokers: readonly BrokerNode[]
  /** The requested topics by name; missing topics are included with their error codes. */
  readonly topics: ReadonlyMap<string, TopicMetadata>
}

/** Describes the leader of a partition as named in a response other than Metadata (KIP-951). */
export interface LeaderHint {
  readonly topic: string
  readonly partitionIndex: number
  readonly leaderId: number
  readonly leaderEpoch: number
  /** Address of the leader, if the response contains it. */
  readonly node?: BrokerNode
}

/** Discovers the brokers of a cluster and maintains connections to them. */
export interface Cluster {
  /**
   * Resolves to the metadata of topics; requests it if the cached metadata is older than `metadataAgeMsMax` or if
   * `refresh` is set. Concurrent calls for the same topics share one request.
   * @throws KD_KAFKA_UNREACHABLE if no broker responds in time
   */
  metadata(topics: readonly string[], options?: { readonly refresh?: boolean }): Promise<ClusterMetadata>
  /** Updates the cached leader of a partition; ignores an epoch that is not newer than the known one. */
  learnLeader(hint: LeaderHint): void
  /** Resolves to the connection to a broker; opens it on demand, and replaces a broken one with backoff. */
  broker(nodeId: number): Promise<BrokerConnection>
  /**
   * Resolves to a second connection to the coordinator of a group, for joins, heartbeats and commits, so that a long
   * fetch never delays them. `refresh` looks up the coordinator again, as needed after NOT_COORDINATOR.
   */
  coordinator(groupId: string, options?: { readonly refresh?: boolean }): Promise<BrokerConnection>
  /** Closes all connections. */
  close(): Promise<void>
}
