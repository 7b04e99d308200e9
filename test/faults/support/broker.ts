import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readWatermarks } from '../../kafka/watermarks.ts'
import type { KafkaServer } from '../../../src/local-servers/kafka.ts'
import { nameForTests } from '../../support/servers/servers.ts'
import { startLoad, topicFilled } from './load.ts'
import {
  assertExact,
  assertUnharmed,
  BUDGET_BYTES,
  committed,
  settled,
  topicOf,
  type Setting,
} from './scenario.ts'
import { startWatched } from './service.ts'

/**
 * The one broker dies under full input and comes back on its data: the service waits and goes on by itself, and the table
 * is exact. `kafka` is the scenario's own.
 */
export async function brokerRestarts(
  setting: Setting & {
    readonly kafka: KafkaServer
    /** Further options `kafka` of the service. A member that a crashed connection leaves behind holds up its group for `sessionTimeoutMs`. */
    readonly group?: object
  },
): Promise<void> {
  const { program, folder, kafka, rate, seed, outageMs, say } = setting
  const { brokers } = kafka
  const topic = nameForTests('broker')
  const flags = ['--partitions', '3', '--rate', String(rate), '--bad-every', '500', '--seed', String(seed)]
  const load = startLoad(program, brokers, ['-t', topic, ...flags])
  let kill = (): void => undefined
  try {
    await topicFilled(brokers, topic)
    const uri = join(folder, 'table')
    const config = {
      kafka: { brokers, groupId: topic, ...setting.group },
      budget: { bytes: BUDGET_BYTES },
      topics: { events: topicOf(topic, uri) },
    }
    const service = await startWatched(program, config, join(folder, 'broker.json'), 90_000 + 3 * outageMs)
    kill = () => {
      service.worker.kill('SIGKILL')
    }
    await service.until('commits', (look) => committed(look, topic) > 0)
    await kafka.halt('SIGKILL')
    await sleep(outageMs)
    const before = committed(await service.look(), topic)
    await kafka.resume()
    const backMs = Date.now()
    const ends = await readWatermarks({ brokers, clientId: 'faults' }, topic)
    // More than what was read before: the group reads again.
    const old = Number([...ends.values()].reduce((sum, { high }) => sum + high, 0n))
    await service.until('commits again', (look) => committed(look, topic) > Math.max(before, old))
    say(`  no broker for ${outageMs} ms: commits again ${Date.now() - backMs} ms after its start`)
    const { records } = await load.stop()
    await settled(service, topic, records)
    await assertUnharmed(setting, service)
    assert.ok((await assertExact(setting, { brokers, topic, uri })) > before, 'there are rows from after it')
  } finally {
    kill()
    await load.stop().catch(() => undefined)
  }
}
