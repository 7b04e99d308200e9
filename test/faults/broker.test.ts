// Goal: brokers that are gone for a while cost time, and nothing else.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startKafka } from '../../src/local-servers/kafka.ts'
import { PROGRAM } from '../e2e/support/carry.ts'
import { brokerRestarts } from './support/broker.ts'

test('the only broker is killed under full input and comes back: no restart of a topic, and the table is exact', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'faults-broker-'))
  // A broker that was killed is let in again once its session is over, 9 s by default.
  const kafka = await startKafka({
    config: { 'broker.session.timeout.ms': '3000', 'broker.heartbeat.interval.ms': '500' },
  })
  try {
    await brokerRestarts({
      program: PROGRAM,
      folder,
      kafka,
      group: { sessionTimeoutMs: 6_000, heartbeatMs: 1_000 },
      rate: 2_000,
      outageMs: 2_000,
      seed: 12,
      say: (line) => t.diagnostic(line),
    })
  } finally {
    await kafka.stop()
    await rm(folder, { recursive: true, force: true })
  }
})
