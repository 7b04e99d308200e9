// `npm run bench:latency` measures the time from producing a record until a reader of the table sees it, at a steady
// rate, with compaction and vacuum beside ingestion, and prints its percentiles beside the flush age.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { findPackageFile } from '../../src/cli/package-file.ts'
import { parseCount } from '../../src/cli/table/command.ts'
import { messageOf } from '../../src/core/errors.ts'
import { createTopic } from '../../src/kafka/client/admin.ts'
import { createKafka } from '../../src/kafka/client/client.ts'
import { startKafka } from '../../src/local-servers/kafka.ts'
import type { SampleEvent } from '../../src/sample/event.ts'
import { generateUserEvents } from '../../src/sample/user-events.ts'
import { percentile, watchVisible, type SentBatch } from './visible.ts'

interface Flags {
  readonly rate: number
  readonly seconds: number
  readonly flushAgeMs: number
}

const TOPIC = 'user.events.v1'
const PARTITIONS = 4
/** Records of one batch of the producer. */
const BATCH_RECORDS = 100
/** Time after the first commit that does not count: code is compiled and caches fill. */
const WARM_UP_MS = 5_000
/** How far beyond the flush age the 99th percentile may be. */
const SLACK_MS = 500

process.exitCode = await main(process.argv)

async function main(argv: readonly string[]): Promise<number> {
  const flags = new Command('npm run bench:latency --')
    .option('--rate <n>', 'records per second', parseCount, 5_000)
    .option('--seconds <n>', 'duration', parseCount, 120)
    .option('--flush-age-ms <n>', 'flush.ageMs of the topic', parseCount, 1_000)
    .parse(argv)
    .opts<Flags>()
  try {
    const latencies = await measure(flags)
    const p99 = percentile(latencies, 0.99)
    const shown = [0.5, 0.9, 0.99, 0.999, 1].map(
      (share) => `p${share * 100} ${percentile(latencies, share).toFixed(0)} ms`,
    )
    console.log(`${latencies.length} records: ${shown.join(', ')}`)
    console.log(`p99 is flush age + ${(p99 - flags.flushAgeMs).toFixed(0)} ms; the limit is + ${SLACK_MS} ms`)
    return p99 <= flags.flushAgeMs + SLACK_MS ? 0 : 1
  } catch (error) {
    console.error(messageOf(error))
    return 1
  }
}

function take(events: Iterator<SampleEvent, void>, count: number): SampleEvent[] {
  return Array.from({ length: count }, () => {
    const { value } = events.next()
    if (value === undefined) throw new Error('The events ended too early')
    return value
  })
}

async function measure(flags: Flags): Promise<Float64Array> {
  console.log(`load average at the start: ${(loadavg()[0] ?? NaN).toFixed(1)}; node ${process.version}`)
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-latency-'))
  const kafka = await startKafka({
    onProgress: (message) => {
      console.log(message)
    },
  })
  try {
    const client = { brokers: kafka.brokers, clientId: 'kafka-delta-bench' }
    for (const topic of [TOPIC, `${TOPIC}-dlq`]) await createTopic(client, topic, { partitions: PARTITIONS })
    const config = join(folder, 'config.json')
    await writeFile(config, JSON.stringify(configOf(kafka.brokers, join(folder, 'table'), flags.flushAgeMs)))
    const service = spawn(
      process.execPath,
      [findPackageFile('dist/command/main.js'), 'run', '--config', config],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    )
    const ended = once(service, 'exit')
    const visible = watchVisible(join(folder, 'table', '_delta_log'), TOPIC)
    try {
      const failed = ended.then(([code]): never => {
        throw new Error(`The service ended with ${String(code)}`)
      })
      const sent = await Promise.race([sendAtRate(kafka.brokers, flags, visible.firstCommit), failed])
      return await visible.latenciesOf(sent)
    } finally {
      visible.stop()
      service.kill('SIGTERM')
      await ended
    }
  } finally {
    await kafka.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function configOf(brokers: readonly string[], uri: string, flushAgeMs: number): object {
  return {
    kafka: { brokers, groupId: 'bench-latency' },
    log: { level: 'warn' },
    topics: {
      [TOPIC]: {
        contract: findPackageFile('schemas/user-events.schema.json'),
        flush: { ageMs: flushAgeMs },
        table: {
          uri,
          // As often as any table would have it, so that several runs fall into the measured time.
          optimize: { everyMs: 20_000 },
          vacuum: { everyMs: 30_000 },
        },
      },
    },
  }
}

/** Sends batches at a steady rate to the partitions in turn. Returns what was sent after the warm-up. */
async function sendAtRate(
  brokers: readonly string[],
  { rate, seconds }: Flags,
  firstCommit: Promise<void>,
): Promise<readonly SentBatch[]> {
  const producer = (await createKafka({ brokers, clientId: 'kafka-delta-bench' })).producer()
  await producer.connect()
  const sent: SentBatch[] = []
  const underWay: Promise<void>[] = []
  let measureFromMs = Infinity
  void firstCommit.then(() => (measureFromMs = performance.now() + WARM_UP_MS))
  const events = generateUserEvents({ seed: 1, count: Number.MAX_SAFE_INTEGER })
  const intervalMs = (1_000 * BATCH_RECORDS) / rate
  let nextMs = performance.now()
  try {
    for (let batch = 0; performance.now() < measureFromMs + seconds * 1_000; batch++) {
      nextMs += intervalMs
      const waitMs = nextMs - performance.now()
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      const partition = batch % PARTITIONS
      const messages = take(events, BATCH_RECORDS).map(({ value }) => ({ value, partition }))
      const sentAtMs = performance.now()
      const send = producer.send({ topic: TOPIC, acks: -1, messages }).then(([first]) => {
        const offset = BigInt(first?.baseOffset ?? -1) + BigInt(BATCH_RECORDS - 1)
        if (sentAtMs >= measureFromMs)
          sent.push({ partition, last: offset, records: BATCH_RECORDS, sentAtMs })
      })
      underWay.push(send)
    }
    await Promise.all(underWay)
  } finally {
    await producer.disconnect()
  }
  return sent
}
