import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTopic } from '../../../src/kafka/client/admin.ts'
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
import { startWatched, type WatchedService } from './service.ts'

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
    assertFewLines(service)
    assert.ok((await assertExact(setting, { brokers, topic, uri })) > before, 'there are rows from after it')
  } finally {
    kill()
    await load.stop().catch(() => undefined)
  }
}

interface LogLine {
  readonly level: string
  readonly time: string
  readonly kind?: string
  readonly msg: string
}

/** Warnings of single requests to the brokers, which an outage repeats. */
const REPEATED =
  /^(?:Dead letters were not written|Offsets could not be|A request to the brokers|No Kafka broker)/

/**
 * Asserts that the outage has a line of its own when it begins and when it ends, and that warnings of single requests come at
 * most once a minute.
 */
function assertFewLines({ worker }: WatchedService): void {
  const lines = worker.lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []))
  const minutes = (Date.parse(lines.at(-1)?.time ?? '') - Date.parse(lines[0]?.time ?? '')) / 60_000
  const times = new Map<string, number>()
  for (const { level, msg } of lines)
    if (level === 'warn' && REPEATED.test(msg)) times.set(msg, (times.get(msg) ?? 0) + 1)
  for (const [msg, count] of times) assert.ok(count <= minutes + 1, `${count} times: ${msg}`)
  const circuit = lines.filter(({ kind, level }) => kind === 'kafka' && level !== 'debug')
  const told = circuit.map(({ msg }) => /^Circuit (?:opened|closed)/.exec(msg)?.[0])
  assert.ok(told.length >= 2 && told.length % 2 === 0, told.join())
  assert.ok(told.every((each, index) => each === (index % 2 === 0 ? 'Circuit opened' : 'Circuit closed')))
}

/**
 * The service starts while the broker accepts connections and answers nothing: it is never ready, says that the
 * topic waits for the broker, and is ready once the broker answers and the consumer has joined its group.
 */
export async function brokerAnswersLate(setting: Setting & { readonly kafka: KafkaServer }): Promise<void> {
  const { program, folder, kafka, say } = setting
  const { brokers } = kafka
  const topic = nameForTests('late')
  await createTopic({ brokers, clientId: 'faults' }, topic, { partitions: 1 })
  process.kill(kafka.pid, 'SIGSTOP')
  const config = {
    kafka: { brokers, groupId: topic },
    topics: { events: topicOf(topic, join(folder, 'late')) },
  }
  try {
    const service = await startWatched(program, config, join(folder, 'late.json'))
    try {
      const startMs = Date.now()
      await service.until('a broker that does not answer', ({ status }) => status === 'unavailable')
      const noticedMs = Date.now() - startMs
      say(`  started without an answer: /readyz says so after ${noticedMs} ms`)
      process.kill(kafka.pid, 'SIGCONT')
      await service.until('readiness', ({ code }) => code === 200)
      const states = [...(service.topics.get(topic) ?? [])]
      assert.deepEqual(states.slice(0, 2), ['opening', 'waiting'])
      assert.deepEqual([...new Set(service.seen)], ['503 starting', '503 unavailable', '200 ready'])
      assert.ok(
        service.worker.lines.some(
          (line) => line.includes('No Kafka broker answered') && line.includes(String(brokers[0])),
        ),
      )
      assert.equal(await service.stop(), 0, service.worker.lines.slice(-15).join('\n'))
    } finally {
      service.worker.kill('SIGKILL')
    }
  } finally {
    process.kill(kafka.pid, 'SIGCONT')
  }
}
