import type { Admin } from 'kafkajs'
import { type Clock, systemClock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import { listPartitions } from '../wire/list-partitions.ts'
import { openCluster } from '../wire/open-cluster.ts'
import { createKafka, type KafkaOptions, connectAdmin, lastRefusalOf } from './client.ts'
import { kafkaFaultOf } from './faults.ts'
import { hasLeaders, topicExists } from './topic-metadata.ts'
import { clusterOptionsOf } from './wire-options.ts'

/** Configures a new topic; absent options have the broker's defaults. */
interface NewTopicOptions {
  readonly partitions: number
  readonly replicas?: number
  /** Topic configuration by Kafka's names, for example `retention.ms`. */
  readonly config?: Readonly<Record<string, string>>
}

const LEADERS_MS_MAX = 20_000
const LEADERS_CHECK_MS = 100

/**
 * Creates a topic unless it exists; returns whether it did. Resolves when every partition has a leader that answers.
 * @throws KD_KAFKA_UNREACHABLE, KD_KAFKA_REFUSED, KD_KAFKA_FORBIDDEN, KD_SOURCE_FAILED.
 */
export async function createTopic(
  options: KafkaOptions,
  topic: string,
  wanted: NewTopicOptions,
  clock: Clock = systemClock,
): Promise<boolean> {
  const admin = await connectAdmin(await createKafka(options), options)
  try {
    if (await topicExists(admin, topic)) return false
    // Resolves with false if another client created the topic first.
    const created = await admin.createTopics({
      // kafkajs can wait too, but fails if a broker does not know the new topic yet.
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
    await waitForLeaders(admin, topic, clock)
    return created
  } catch (error) {
    throw kafkaFaultOf(error, { topic, isWriting: true }) ?? error
  } finally {
    await admin.disconnect()
  }
}

async function waitForLeaders(admin: Admin, topic: string, clock: Clock): Promise<void> {
  const deadlineMs = clock.now() + LEADERS_MS_MAX
  while (!(await hasLeaders(admin, topic))) {
    if (clock.now() > deadlineMs) {
      const detail = `expected a leader for each partition within ${LEADERS_MS_MAX} ms of its creation`
      throw new PipelineError('KD_SOURCE_FAILED', detail, { topic })
    }
    await clock.sleep(LEADERS_CHECK_MS)
  }
}

/**
 * Returns the number of partitions of a topic. `rights` names the permissions that the caller needs, for the error of a
 * refusal.
 * @throws KD_TOPIC_MISSING, KD_KAFKA_FORBIDDEN, KD_KAFKA_REFUSED, KD_KAFKA_UNREACHABLE, KD_KAFKA_AUTH_FAILED,
 * KD_KAFKA_TLS_FAILED
 */
export async function countPartitions(options: KafkaOptions, topic: string, rights: string): Promise<number> {
  const cluster = openCluster(clusterOptionsOf(options))
  try {
    return (await listPartitions(cluster, topic, rights)).partitions.length
  } finally {
    await cluster.close()
  }
}

/**
 * Returns the names of all topics that this client may see.
 * @throws KD_KAFKA_UNREACHABLE, KD_KAFKA_AUTH_FAILED, KD_KAFKA_TLS_FAILED, KD_SOURCE_FAILED.
 */
export async function listTopics(options: KafkaOptions): Promise<readonly string[]> {
  const admin = await connectAdmin(await createKafka(options), options)
  try {
    return await admin.listTopics()
  } finally {
    await admin.disconnect()
  }
}

/**
 * Returns the committed offset (the next one to read) of a consumer group by partition; partitions without one are absent.
 * @throws KD_KAFKA_UNREACHABLE, KD_SOURCE_FAILED.
 */
export async function readGroupOffsets(
  options: KafkaOptions,
  groupId: string,
  topic: string,
): Promise<ReadonlyMap<number, bigint>> {
  const kafka = await createKafka(options)
  const admin = await connectAdmin(kafka, options)
  try {
    const topics = await admin.fetchOffsets({ groupId, topics: [topic] })
    const partitions = topics.flatMap((each) => (each.topic === topic ? each.partitions : []))
    return new Map(
      partitions
        .filter(({ offset }) => Number(offset) >= 0)
        .map(({ partition, offset }) => [partition, BigInt(offset)]),
    )
  } catch (error) {
    throw kafkaFaultOf(error, { topic, groupId, lastRefusal: lastRefusalOf(kafka) }) ?? error
  } finally {
    await admin.disconnect()
  }
}
