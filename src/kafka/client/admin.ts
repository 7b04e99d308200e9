import type { Admin, Kafka } from 'kafkajs'
import { type Clock, systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import { createKafka, type KafkaOptions, reachAdmin, refusalHeard } from './client.ts'
import { kafkaFault } from './faults.ts'
import { isLed, topicExists, type Watermark, Watermarks } from './end-offsets.ts'

/** What a new topic looks like; the broker's defaults hold where nothing is said. */
export interface TopicOptions {
  readonly partitions: number
  readonly replicas?: number
  /** Topic configuration by Kafka's names, for example `retention.ms`. */
  readonly config?: Readonly<Record<string, string>>
}

const LED_MS_MAX = 20_000
const LED_EVERY_MS = 100

/**
 * Creates a topic unless it exists; says whether it did. Resolves when every partition has a leader that can be asked.
 * @throws KD_KAFKA_UNREACHABLE, KD_SOURCE_FAILED.
 */
export async function createTopic(
  options: KafkaOptions,
  topic: string,
  wanted: TopicOptions,
  clock: Clock = systemClock,
): Promise<boolean> {
  const admin = await reachAdmin(createKafka(options), options)
  try {
    if (await topicExists(admin, topic)) return false
    // Resolves with false when somebody else was quicker.
    const created = await admin.createTopics({
      // kafkajs waits too, but takes a broker that has not heard of the topic yet for one that never will.
      waitForLeaders: false,
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
    await untilLed(admin, topic, clock)
    return created
  } finally {
    await admin.disconnect()
  }
}

async function untilLed(admin: Admin, topic: string, clock: Clock): Promise<void> {
  const deadlineMs = clock.now() + LED_MS_MAX
  while (!(await isLed(admin, topic))) {
    if (clock.now() > deadlineMs) {
      const detail = `expected a leader for each partition within ${LED_MS_MAX} ms of its creation`
      throw new PipelineError('KD_SOURCE_FAILED', detail, { topic })
    }
    await clock.sleep(LED_EVERY_MS)
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
 * The names of all topics that this client may see.
 * @throws KD_KAFKA_UNREACHABLE, KD_KAFKA_AUTH_FAILED, KD_KAFKA_TLS_FAILED, KD_SOURCE_FAILED.
 */
export async function topicNames(options: KafkaOptions): Promise<readonly string[]> {
  const admin = await reachAdmin(createKafka(options), options)
  try {
    return await admin.listTopics()
  } finally {
    await admin.disconnect()
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
  const kafka = createKafka(options)
  const admin = await reachAdmin(kafka, options)
  try {
    const topics = await admin.fetchOffsets({ groupId, topics: [topic] })
    const partitions = topics.flatMap((one) => (one.topic === topic ? one.partitions : []))
    return new Map(
      partitions
        .filter(({ offset }) => Number(offset) >= 0)
        .map(({ partition, offset }) => [partition, BigInt(offset)]),
    )
  } catch (error) {
    throw kafkaFault(error, { topic, groupId, heard: refusalHeard(kafka) }) ?? error
  } finally {
    await admin.disconnect()
  }
}

function connector(kafka: Kafka, options: KafkaOptions): () => ReturnType<typeof reachAdmin> {
  return () => reachAdmin(kafka, options)
}
