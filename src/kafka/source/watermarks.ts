import type { Clock } from '../../core/clock.ts'
import { PipelineError } from '../../core/errors.ts'
import type { Watermark } from '../client/end-offsets.ts'
import { listOffsets, type OffsetQuery } from '../fetch/list-offsets.ts'
import type { Isolation } from '../records/read-records.ts'
import type { Cluster } from '../wire/cluster.ts'
import { BROKER_ERRORS } from '../wire/error-codes.ts'

const MISSING = BROKER_ERRORS.UNKNOWN_TOPIC_OR_PARTITION.code
const FORBIDDEN = BROKER_ERRORS.TOPIC_AUTHORIZATION_FAILED.code

/**
 * Reads the current watermark of every partition of a topic.
 * @throws KD_TOPIC_MISSING, KD_KAFKA_FORBIDDEN, KD_KAFKA_UNREACHABLE, KD_SOURCE_FAILED
 */
export async function listWatermarks(
  cluster: Pick<Cluster, 'metadata' | 'broker'>,
  topic: string,
  { isolation, clock }: { readonly isolation: Isolation; readonly clock: Clock },
): Promise<ReadonlyMap<number, Watermark>> {
  const partitions = await partitionsOf(cluster, topic)
  const query = (at: 'earliest' | 'latest'): OffsetQuery[] =>
    partitions.map((partition) => ({ topic, partition, at }))
  const [lows, highs] = await Promise.all([
    listOffsets(cluster, query('earliest'), { isolation, clock }),
    listOffsets(cluster, query('latest'), { isolation, clock }),
  ])
  return new Map(
    partitions.map((partition, index) => [
      partition,
      { low: lows[index]?.offset ?? 0n, high: highs[index]?.offset ?? 0n },
    ]),
  )
}

async function partitionsOf(cluster: Pick<Cluster, 'metadata'>, topic: string): Promise<readonly number[]> {
  const { topics } = await cluster.metadata([topic], { refresh: true })
  const found = topics.get(topic)
  if (found?.errorCode === FORBIDDEN) {
    const detail = `expected the right to Describe and Read topic ${JSON.stringify(topic)}, got: TOPIC_AUTHORIZATION_FAILED`
    throw new PipelineError('KD_KAFKA_FORBIDDEN', detail, { topic })
  }
  if (found === undefined || found.errorCode === MISSING || found.partitions.length === 0)
    throw new PipelineError('KD_TOPIC_MISSING', 'expected the topic to exist', { topic })
  return found.partitions.map(({ partitionIndex }) => partitionIndex)
}
