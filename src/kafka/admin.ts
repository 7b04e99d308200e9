import type { Kafka } from 'kafkajs'
import { createKafka, type KafkaOptions, reachAdmin } from './client.ts'
import { topicExists, type Watermark, Watermarks } from './end-offsets.ts'

/** What a new topic looks like; the broker's defaults hold where nothing is said. */
export interface TopicOptions {
  readonly partitions: number
  readonly replicas?: number
  /** Topic configuration by Kafka's names, for example `retention.ms`. */
  readonly config?: Readonly<Record<string, string>>
}

/**
 * Creates a topic unless it exists; says whether it did.
 * @throws KD_KAFKA_UNREACHABLE, KD_SOURCE_FAILED.
 */
export async function createTopic(
  options: KafkaOptions,
  topic: string,
  wanted: TopicOptions,
): Promise<boolean> {
  const admin = await reachAdmin(createKafka(options), options)
  try {
    if (await topicExists(admin, topic)) return false
    // Resolves with false when somebody else was quicker.
    return await admin.createTopics({
      waitForLeaders: true,
      topics: [
        {
          topic,
          numPartitions: wanted.partitions,
          // -1: the broker's default.
          replicationFactor: wanted.replicas ?? -1,
          configEntries: Object.entries(wanted.config ?? {}).map(([name, value]) => ({ name, value })),
        },
      ],
    })
  } finally {
    await admin.disconnect()
  }
}

/**
 * Log start and end of every partition of a topic.
 * @throws KD_TOPIC_MISSING, KD_KAFKA_UNREACHABLE, KD_SOURCE_FAILED.
 */
export async function endOffsets(
  options: KafkaOptions,
  topic: string,
): Promise<ReadonlyMap<number, Watermark>> {
  const watermarks = new Watermarks(connector(createKafka(options), options), topic)
  try {
    return await watermarks.read()
  } finally {
    await watermarks.close()
  }
}

/**
 * The next offset that a group would read, by partition; partitions without one are absent.
 * @throws KD_KAFKA_UNREACHABLE, KD_SOURCE_FAILED.
 */
export async function groupOffsets(
  options: KafkaOptions,
  groupId: string,
  topic: string,
): Promise<ReadonlyMap<number, bigint>> {
  const admin = await reachAdmin(createKafka(options), options)
  try {
    const topics = await admin.fetchOffsets({ groupId, topics: [topic] })
    const partitions = topics.flatMap((one) => (one.topic === topic ? one.partitions : []))
    return new Map(
      partitions
        .filter(({ offset }) => Number(offset) >= 0)
        .map(({ partition, offset }) => [partition, BigInt(offset)]),
    )
  } finally {
    await admin.disconnect()
  }
}

function connector(kafka: Kafka, options: KafkaOptions): () => ReturnType<typeof reachAdmin> {
  return () => reachAdmin(kafka, options)
}
