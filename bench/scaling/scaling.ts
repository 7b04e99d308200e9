// `npm run bench:scaling` ingests one topic into one table with 1 to 4 processes of one group, and prints the
// table of docs/scaling.md.
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { parseCount } from '../../src/cli/table/command.ts'
import { messageOf } from '../../src/core/errors.ts'
import { openTableWriter } from '../../src/delta/commit/log-writer.ts'
import { startKafka } from '../../src/local-servers/kafka.ts'
import { openStore } from '../../src/storage/open/open.ts'
import { loadConfig } from '../../config/load/load.ts'
import { produce } from '../produce.ts'
import { contractFile } from '../shapes/shape.ts'
import { runProgram } from '../run-program.ts'
import type { ScalingMeasured, ScalingTask } from './task.ts'

/** Holds the results of the processes of one group. */
interface Group {
  readonly beginAtMs: number
  readonly all: readonly ScalingMeasured[]
}

interface Flags {
  readonly records: number
  readonly processes: number
}

const TOPIC = 'user.events.v1'
/** Divides evenly among 1, 2 and 4 processes, and almost evenly among 3. */
const PARTITIONS = 8
/** Small enough for many commits, so that the processes compete for the table. */
const FLUSH_COUNT = 25_000
/** Time for four processes to load their modules concurrently, in milliseconds. */
const LOADING_MS = 8_000
const MIB = 2 ** 20

process.exitCode = await main(process.argv)

async function main(argv: readonly string[]): Promise<number> {
  const flags = new Command('npm run bench:scaling --')
    .option('--records <n>', 'number of user events', parseCount, 2_000_000)
    .option('--processes <n>', 'maximum number of processes', parseCount, 4)
    .parse(argv)
    .opts<Flags>()
  try {
    await measureAll(flags)
    return 0
  } catch (error) {
    console.error(messageOf(error))
    return 1
  }
}

async function measureAll({ records, processes }: Flags): Promise<void> {
  const say = (message: string): void => {
    console.log(message)
  }
  const loadAverage = loadavg()[0] ?? NaN
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-bench-'))
  const kafka = await startKafka({ onProgress: say })
  try {
    const bytes = await produce(kafka.brokers, { topic: TOPIC, partitions: PARTITIONS }, records)
    const lines: string[] = []
    for (let count = 1; count <= processes; count++) {
      const table = join(folder, `by-${count}`)
      const measured = await measureGroup(kafka.brokers, count, records, table)
      await checkTable(table, count)
      const line = lineOf(measured, records, bytes)
      say(line)
      lines.push(line)
    }
    say(`
${cpus().length} cores (${cpus()[0]?.model.trim() ?? ''}) for all processes and the broker, load average at the start ${loadAverage.toFixed(1)};
${records.toLocaleString('en')} user events of ${Math.round(bytes / records)} bytes in ${PARTITIONS} partitions, ${FLUSH_COUNT.toLocaleString('en')} records a flush, a local table.

| Processes | records/s, all at work | MB/s | records/s from start to end | CPU µs per record | peak memory of one, MiB | commits | versions lost to another |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${lines.join('\n')}`)
  } finally {
    await kafka.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function measureGroup(
  brokers: readonly string[],
  count: number,
  records: number,
  table: string,
): Promise<Group> {
  const { fetchBytesMax, fetchBytesPerPartitionMax } = loadConfig({}).kafka
  const task: ScalingTask = {
    brokers,
    topic: TOPIC,
    groupId: `bench-scaling-${count}`,
    records,
    fetch: { bytesMax: fetchBytesMax, bytesPerPartitionMax: fetchBytesPerPartitionMax },
    topicConfig: {
      contract: contractFile('user-events'),
      table: { uri: table },
      flush: { count: FLUSH_COUNT },
    },
    beginAtMs: Date.now() + LOADING_MS,
  }
  const all = await Promise.all(
    Array.from({ length: count }, () => runProgram<ScalingMeasured>('scaling/task', task)),
  )
  const carried = all.reduce((sum, measured) => sum + measured.records, 0)
  if (carried !== records) throw new Error(`${records} records were expected, ${carried} were ingested`)
  return { all, beginAtMs: task.beginAtMs }
}

/** Checks that the table has an offset of every partition. */
async function checkTable(uri: string, count: number): Promise<void> {
  const table = await openTableWriter(await openStore(uri))
  const offsets = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) =>
      table.txn(`bench-scaling-${count}-${TOPIC}-${partition}`),
    ),
  )
  if (offsets.includes(undefined)) throw new Error('The table has no offset of a partition')
}

function lineOf({ all, beginAtMs }: Group, records: number, bytes: number): string {
  const sum = (of: (measured: ScalingMeasured) => number): number =>
    all.reduce((total, measured) => total + of(measured), 0)
  const wallS = (Math.max(...all.map(lastOf)) - beginAtMs) / 1e3
  const together = togetherOf(all)
  const rss = Math.max(...all.map(({ rssBytesMax }) => rssBytesMax))
  const cells = [
    all.length,
    together === undefined ? '–' : Math.round(together).toLocaleString('en'),
    together === undefined ? '–' : ((together * bytes) / records / 1e6).toFixed(1),
    Math.round(records / wallS).toLocaleString('en'),
    ((sum(({ cpuS }) => cpuS) * 1e6) / records).toFixed(2),
    Math.round(rss / MIB),
    sum(({ commits }) => commits.length),
    sum(({ conflicts }) => conflicts),
  ]
  return `| ${cells.join(' | ')} |`
}

/**
 * Returns the records per second between the time when every process has committed and the time when the
 * first one is done.
 */
function togetherOf(all: readonly ScalingMeasured[]): number | undefined {
  const fromMs = Math.max(...all.map(({ commits }) => commits[0]?.[0] ?? Infinity))
  const toMs = Math.min(...all.map(lastOf))
  // A process started too late to work alongside the others: there were too few records.
  if (toMs <= fromMs) return undefined
  const records = all
    .flatMap(({ commits }) => commits)
    .reduce((sum, [atMs, count]) => (atMs > fromMs && atMs <= toMs ? sum + count : sum), 0)
  return (records * 1e3) / (toMs - fromMs)
}

function lastOf({ commits }: ScalingMeasured): number {
  return commits.at(-1)?.[0] ?? -Infinity
}
