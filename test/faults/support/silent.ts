import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { readWatermarks } from '../../kafka/watermarks.ts'
import type { KafkaServer } from '../../../src/local-servers/kafka.ts'
import { nameForTests } from '../../support/servers/servers.ts'
import { assertExact, assertUnharmed, BUDGET_BYTES, committed, topicOf, type Setting } from './scenario.ts'
import { startWatched } from './service.ts'
import { startSteadyLoad } from './steady-load.ts'
import { TableLog } from './table-log.ts'

/** Less than the time-out of a request; `/readyz` says after about eight seconds that no broker answers. */
const NOTICED_MS_MAX = 20_000
const WAIT_MS_MAX = 120_000
const PARTITIONS = 3

/**
 * The broker accepts connections and answers nothing, as a process that is stopped does. `/readyz` says so within ten
 * seconds; once the broker answers, so does `/readyz`, and the table is exact. `kafka` is the scenario's own.
 */
export async function silentBroker(
  setting: Setting & { readonly kafka: KafkaServer; readonly group?: object },
): Promise<void> {
  const { program, folder, kafka, rate, seed, say } = setting
  const { brokers } = kafka
  const topic = nameForTests('silent')
  await createTopic({ brokers, clientId: 'faults' }, topic, { partitions: PARTITIONS })
  const perSend = Math.max(1, Math.round(rate / (PARTITIONS * 20)))
  const load = await startSteadyLoad(brokers, topic, { partitions: PARTITIONS, perSend, seed })
  const uri = join(folder, 'table')
  const config = {
    kafka: { brokers, groupId: topic, ...setting.group },
    budget: { bytes: BUDGET_BYTES },
    topics: { events: topicOf(topic, uri) },
  }
  const service = await startWatched(program, config, join(folder, 'silent.json'), WAIT_MS_MAX)
  try {
    await load.sendBad()
    await service.until('commits', (look) => committed(look, topic) > 0)
    process.kill(kafka.pid, 'SIGSTOP')
    const stoppedMs = Date.now()
    const silent = await service.until('a broker that does not answer', ({ code }) => code !== 200)
    const noticedMs = Date.now() - stoppedMs
    say(`  /readyz says ${silent.code} ${silent.status} ${noticedMs} ms after the broker fell silent`)
    await sleep(2_000)
    process.kill(kafka.pid, 'SIGCONT')
    const backMs = Date.now()
    await service.until('readiness', ({ code }) => code === 200)
    say(`  ready again ${Date.now() - backMs} ms after it answers`)
    await load.sendBad()
    await load.stop()
    // By offsets: requests that a silent broker keeps are sent again, so that it holds more than was acknowledged.
    const log = new TableLog(uri)
    for (const [partition, { high }] of await readWatermarks({ brokers, clientId: 'faults' }, topic))
      while ((await log.last(partition)) < high - 1n) await sleep(50)
    await assertUnharmed(setting, service)
    await assertExact(setting, { brokers, topic, uri })
    assert.ok(noticedMs <= NOTICED_MS_MAX, `noticed after ${noticedMs} ms`)
  } finally {
    process.kill(kafka.pid, 'SIGCONT')
    service.worker.kill('SIGKILL')
    await load.stop().catch(() => undefined)
  }
}
