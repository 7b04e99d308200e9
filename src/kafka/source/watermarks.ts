import type { Clock } from '../../core/clock.ts'
import type { KafkaOptions } from '../client/client.ts'
import { clusterOptionsOf } from '../client/wire-options.ts'
import { END_OFFSETS_ANSWER_MS_MAX, EndOffsets, type EndOffsetsOptions } from '../fetch/end-offsets.ts'
import { listOffsets, type OffsetQuery } from '../fetch/list-offsets.ts'
import type { Isolation } from '../records/read-records.ts'
import type { Cluster } from '../wire/cluster.ts'
import { listPartitions } from '../wire/list-partitions.ts'
import { openCluster } from '../wire/open-cluster.ts'

/**
 * Describes the offsets of one partition that a consumer can read: `low` is the log start offset, `high` the end; with
 * `read_committed` that is the last stable offset.
 */
export interface Watermark {
  readonly low: bigint
  readonly high: bigint
}

/** Holds the watermarks of a topic's partitions. */
export interface TopicWatermarks {
  /** 32 hex digits; `NO_UUID` if the brokers report no ids. */
  readonly topicId: string
  readonly marks: ReadonlyMap<number, Watermark>
}

/**
 * Reads the current watermark of every partition of a topic.
 * @throws KD_TOPIC_MISSING, KD_KAFKA_FORBIDDEN, KD_KAFKA_REFUSED, KD_KAFKA_UNREACHABLE, KD_SOURCE_FAILED
 */
export async function listWatermarks(
  cluster: Pick<Cluster, 'metadata' | 'broker'>,
  topic: string,
  { isolation, clock }: { readonly isolation: Isolation; readonly clock: Clock },
): Promise<TopicWatermarks> {
  const { topicId, partitions } = await listPartitions(cluster, topic, 'Describe and Read')
  const query = (at: 'earliest' | 'latest'): OffsetQuery[] =>
    partitions.map((partition) => ({ topic, partition, at }))
  const [lows, highs] = await Promise.all([
    listOffsets(cluster, query('earliest'), { isolation, clock }),
    listOffsets(cluster, query('latest'), { isolation, clock }),
  ])
  const marks = new Map(
    partitions.map((partition, index) => [
      partition,
      { low: lows[index]?.offset ?? 0n, high: highs[index]?.offset ?? 0n },
    ]),
  )
  return { topicId, marks }
}

/** Opens connections to the brokers that keep the end offsets of topics known; close them at the end. */
export function openEndOffsets(kafka: KafkaOptions, options: EndOffsetsOptions): EndOffsets {
  const cluster = openCluster({
    ...clusterOptionsOf(kafka, options.clock),
    reachTimeoutMs: END_OFFSETS_ANSWER_MS_MAX,
    connectTimeoutMs: END_OFFSETS_ANSWER_MS_MAX,
    requestTimeoutMs: END_OFFSETS_ANSWER_MS_MAX,
  })
  const endOffsets = new EndOffsets(cluster, options)
  endOffsets.start()
  return endOffsets
}
