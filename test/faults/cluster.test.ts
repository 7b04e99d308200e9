// Goal: a cluster that loses a broker costs time, and nothing else, with either group protocol.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PROGRAM } from '../e2e/support/carry.ts'
import { startKafkaCluster } from '../support/servers/kafka-cluster.ts'
import { clusterFails } from './support/cluster.ts'

test('the coordinator of three brokers, which also leads partitions, is killed under load and comes back: the tables are exact', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'faults-cluster-'))
  // The controller notices a death after 9 s by default.
  const config = { 'broker.session.timeout.ms': '3000', 'broker.heartbeat.interval.ms': '500' }
  const cluster = await startKafkaCluster({ config })
  try {
    await clusterFails({
      ...{ program: PROGRAM, folder, cluster, only: 'coordinator', rate: 300, outageMs: 0, seed: 5 },
      say: (line) => t.diagnostic(line),
    })
  } finally {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
})
