// Reading alone: the project's own consumer reads the topic until the ranges of all values are known, and counts records.
import { clusterOptionsOf } from '../src/kafka/client/wire-options.ts'
import { createFetcher } from '../src/kafka/fetch/fetcher.ts'
import { listPartitions } from '../src/kafka/wire/list-partitions.ts'
import { openCluster } from '../src/kafka/wire/open-cluster.ts'
import { report, taskOfProcess } from './measured.ts'

const task = taskOfProcess()
if (task.records > 0) {
  const cluster = openCluster(clusterOptionsOf({ brokers: task.brokers, clientId: 'kafka-delta-bench' }))
  const { partitions } = await listPartitions(cluster, task.topic, 'read')
  let records = 0
  let startMs = 0
  await new Promise<void>((resolve, reject) => {
    const fetcher = createFetcher({
      cluster,
      isolation: 'read_committed',
      fetchBytesMax: task.fetch.bytesMax,
      partitionBytesMax: task.fetch.bytesPerPartitionMax,
      deliver: ({ raw }) => {
        if (records === 0) startMs = performance.now()
        records += raw.count
        if (records >= task.records) void fetcher.close().then(resolve, reject)
        return undefined
      },
      onEvent: (event) => {
        if (event.kind === 'failed') reject(event.error)
      },
    })
    for (const partition of partitions) fetcher.seek(task.topic, partition, 0n)
  })
  const wallMs = performance.now() - startMs
  await cluster.close()
  report(records, wallMs)
} else report(0, 0)
