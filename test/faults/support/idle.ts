import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { createTopic } from '../../../src/kafka/client/admin.ts'
import { readWatermarks } from '../../kafka/watermarks.ts'
import { generateUserEvents } from '../../../src/sample/user-events.ts'
import { startWorker } from '../../integrity/support/worker.ts'
import { nameForTests } from '../../support/servers/servers.ts'
import { committed, topicOf, type Setting } from './scenario.ts'
import { startWatched } from './service.ts'

const WARM_UP_MS = 15_000
const CREATE_MS_MAX = 120_000
const RECORDS = 100
/** A tick of `/proc/<pid>/stat`. */
const TICK_MS = 10

/** Limits of a worker without records; a share of one core, and MiB of resident memory. */
export interface IdleLimits {
  readonly cpuMax?: number
  readonly residentMiBMax?: number
}

/**
 * The tail of each partition holds no record that may be read: markers of transactions, and records of aborted ones.
 * `--until latest` ends, and a worker that runs on, with its table maintenance, is idle.
 */
export async function idleTail(
  setting: Setting & IdleLimits & { readonly brokers: string[]; readonly measureMs: number },
): Promise<void> {
  const { brokers, program, folder } = setting
  const topic = nameForTests('idle')
  const partitions = 12
  await createTopic({ brokers, clientId: 'faults' }, topic, { partitions })
  await abortedTail(brokers, topic, partitions)
  const config = configOf(setting, topic)
  const path = join(folder, 'until-latest.json')
  await writeFile(path, JSON.stringify(config))
  const startMs = Date.now()
  const once = startWorker(program, ['run', '--config', path, '--until', 'latest'], {
    KAFKA_BOOTSTRAP_SERVERS: '',
  })
  assert.equal(await once.ended, 0, once.lines.slice(-15).join('\n'))
  setting.say(`  --until latest ended after ${Date.now() - startMs} ms`)
  await measureIdle(setting, config, 'a tail of markers and aborted records')
}

/** A worker reads many partitions, of which only few have records. */
export async function manyPartitions(
  setting: Setting &
    IdleLimits & { readonly brokers: string[]; readonly measureMs: number; readonly partitions: number },
): Promise<void> {
  const { brokers, partitions, seed } = setting
  const topic = nameForTests('many')
  await createLargeTopic(brokers, topic, partitions)
  const producer = producerOf(brokers)
  await producer.connect()
  const messages = [...generateUserEvents({ seed, count: RECORDS })].map(({ key, value }, i) => ({
    ...{ key, value },
    partition: i % 10,
  }))
  await producer.send({ topic, messages })
  await producer.disconnect()
  const config = configOf(setting, topic)
  await measureIdle(setting, config, `${partitions} partitions`, (look) => committed(look, topic) >= RECORDS)
}

/** Creates a topic whose partitions may take their broker longer than the time that others are given. */
async function createLargeTopic(brokers: string[], topic: string, partitions: number): Promise<void> {
  const client = { brokers, clientId: 'faults' }
  const untilMs = Date.now() + CREATE_MS_MAX
  for (let isReady = false; !isReady;) {
    // The second call finds the topic and does not wait.
    isReady = await createTopic(client, topic, { partitions })
      .then(() => readWatermarks(client, topic))
      .then(({ size }) => size === partitions)
      .catch(() => false)
    assert.ok(isReady || Date.now() < untilMs, `${topic} has leaders`)
  }
}

function configOf({ brokers, folder }: Setting & { readonly brokers: string[] }, topic: string): object {
  return {
    log: { level: 'info' },
    kafka: { brokers, groupId: topic },
    topics: { events: topicOf(topic, join(folder, topic)) },
  }
}

async function measureIdle(
  setting: Setting & IdleLimits & { readonly measureMs: number },
  config: object,
  what: string,
  isReady: Parameters<Awaited<ReturnType<typeof startWatched>>['until']>[1] = (look) => look.code === 200,
): Promise<void> {
  const service = await startWatched(
    setting.program,
    config,
    join(setting.folder, 'idle.json'),
    undefined,
    5_000,
  )
  try {
    await service.until('an idle worker', isReady)
    await sleep(Math.min(WARM_UP_MS, setting.measureMs))
    const before = await cpuMsOf(service.worker.pid)
    await sleep(setting.measureMs)
    const share = ((await cpuMsOf(service.worker.pid)) - before) / setting.measureMs
    const residentMiB = await residentMiBOf(service.worker.pid)
    setting.say(
      `  ${what}: ${(share * 100).toFixed(2)} % of a core over ${setting.measureMs / 1000} s, ${residentMiB.toFixed(0)} MiB resident, peak ${service.worker.peakMiB().toFixed(0)} MiB`,
    )
    assert.equal(await service.stop(), 0, service.worker.lines.slice(-15).join('\n'))
    assert.ok(share <= (setting.cpuMax ?? Infinity), `at most ${setting.cpuMax} of a core, got ${share}`)
    assert.ok(
      residentMiB <= (setting.residentMiBMax ?? Infinity),
      `at most ${setting.residentMiBMax} MiB, got ${residentMiB}`,
    )
  } finally {
    service.worker.kill('SIGKILL')
  }
}

/** Fills each partition with some records, and ends it with aborted transactions. */
async function abortedTail(brokers: readonly string[], topic: string, partitions: number): Promise<void> {
  const producer = producerOf(brokers, nameForTests('txn'))
  await producer.connect()
  const events = generateUserEvents({ seed: 1 })
  for (const isCommitted of [true, false, true, false, false]) {
    const transaction = await producer.transaction()
    const messages = Array.from({ length: partitions * 5 }, (_, i) => {
      const { key, value } = events.next().value as { key: string; value: Buffer }
      return { key, value, partition: i % partitions }
    })
    await transaction.send({ topic, messages })
    await (isCommitted ? transaction.commit() : transaction.abort())
  }
  await producer.disconnect()
}

function producerOf(brokers: readonly string[], transactionalId?: string): kafkajs.Producer {
  const client = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING })
  return client.producer(transactionalId === undefined ? {} : { transactionalId, maxInFlightRequests: 1 })
}

/** CPU time of a process so far, of user and system, in milliseconds. */
async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

async function residentMiBOf(pid: number): Promise<number> {
  const match = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))
  return Number(match?.[1] ?? 0) / 1024
}
