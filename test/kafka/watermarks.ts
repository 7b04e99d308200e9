import { systemClock } from '../../src/core/clock.ts'
import type { KafkaOptions } from '../../src/kafka/client/client.ts'
import { clusterOptionsOf } from '../../src/kafka/client/wire-options.ts'
import { listWatermarks, type Watermark } from '../../src/kafka/source/watermarks.ts'
import { openCluster } from '../../src/kafka/wire/open-cluster.ts'

/** Reads the log start offset and the last stable offset of every partition of a topic. */
export async function readWatermarks(
  options: KafkaOptions,
  topic: string,
): Promise<ReadonlyMap<number, Watermark>> {
  const cluster = openCluster(clusterOptionsOf(options))
  try {
    const options = { isolation: 'read_committed', clock: systemClock } as const
    return (await listWatermarks(cluster, topic, options)).marks
  } finally {
    await cluster.close()
  }
}
