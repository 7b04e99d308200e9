// Goal: brokers that are gone for a while cost time, and nothing else, and the service says so.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startKafka } from '../../src/local-servers/kafka.ts'
import { PROGRAM } from '../e2e/support/carry.ts'
import { brokerAnswersLate, brokerRestarts } from './support/broker.ts'

const folder = await mkdtemp(join(tmpdir(), 'faults-broker-'))
// A broker that was killed is let in again once its session is over, 9 s by default.
const kafka = await startKafka({
  config: { 'broker.session.timeout.ms': '3000', 'broker.heartbeat.interval.ms': '500' },
})
after(async () => {
  await kafka.stop()
  await rm(folder, { recursive: true, force: true })
})
const setting = { program: PROGRAM, folder, kafka, rate: 2_000, outageMs: 2_000, seed: 12 }

test('a service that starts while its broker answers nothing is not ready, says why, and is ready once it answers', async (t) => {
  await brokerAnswersLate({ ...setting, say: (line) => t.diagnostic(line) })
})

test('the only broker is killed under full input and comes back: no restart of a topic, and the table is exact', async (t) => {
  await brokerRestarts({
    ...setting,
    group: { sessionTimeoutMs: 6_000, heartbeatMs: 1_000 },
    say: (line) => t.diagnostic(line),
  })
})
