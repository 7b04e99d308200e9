// `npm run bench` measures the CPU per record compared with a bare kafkajs consumer, and writes
// docs/benchmarks.md.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Command } from 'commander'
import { loadConfig } from '../config/load/load.ts'
import { findPackageFile } from '../src/cli/package-file.ts'
import { formatCount } from '../src/cli/progress.ts'
import { parseCount } from '../src/cli/table/command.ts'
import { messageOf } from '../src/core/errors.ts'
import { startKafka } from '../src/local-servers/kafka.ts'
import { logSectionOf, withLogSection } from './log/page.ts'
import type { Measured, Task } from './measured.ts'
import { benchmarksPage, medianRatio, RATIO_MAX, type Results } from './page.ts'
import { measure, microsOf, ratioOf, type Pair, type Program } from './programs.ts'
import { produce } from './produce.ts'

interface Flags {
  readonly records: number
  readonly pairs: number
  readonly profile?: string
}

const TOPIC = 'user.events.v1'
const PARTITIONS = 4
const MIB = 2 ** 20
/** Limit that no run reaches. */
const NEVER = 1_000_000_000

const VARIANTS = [
  { name: 'pipeline: contract and statistics', program: 'whole', topicConfig: {} },
  {
    name: 'pipeline: Kafka columns and date partitions too',
    program: 'whole',
    topicConfig: {
      kafkaColumns: true,
      derive: { event_date: 'date(timestamp)' },
      table: { partitionColumns: ['event_date'] },
    },
  },
  { name: 'reading alone, by the own consumer', program: 'read', topicConfig: {} },
] as const

const FLUSH_BYTES = [16 * MIB, 128 * MIB]

/** Runs a program on the topic; the table of the run is deleted. */
type Run = (program: Program, records: number, topicConfig: Task['topicConfig']) => Promise<Measured>

process.exitCode = await main(process.argv)

async function main(argv: readonly string[]): Promise<number> {
  const flags = new Command('npm run bench --')
    .option('--records <n>', 'number of user events', parseCount, 2_000_000)
    .option('--pairs <n>', 'number of pairs of floor and pipeline', parseCount, 3)
    .option('--profile <folder>', 'also write a CPU profile of each program to this folder')
    .parse(argv)
    .opts<Flags>()
  try {
    const results = await measureAll(flags)
    const path = join(dirname(findPackageFile('package.json')), 'docs', 'benchmarks.md')
    const logs = logSectionOf(await readFile(path, 'utf8'))
    await writeFile(path, withLogSection(benchmarksPage(results), logs))
    const ratio = medianRatio(results.variants[0] ?? { name: '', pairs: [] })
    console.log(`Written to docs/benchmarks.md`)
    console.log(`The pipeline takes ${ratio.toFixed(2)} × the CPU of the floor; the limit is ${RATIO_MAX} ×`)
    return ratio <= RATIO_MAX ? 0 : 1
  } catch (error) {
    console.error(messageOf(error))
    return 1
  }
}

async function measureAll({ records, pairs, profile }: Flags): Promise<Results> {
  const say = (message: string): void => {
    console.log(message)
  }
  const loadAverage = loadavg()[0] ?? NaN
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-bench-'))
  const kafka = await startKafka({ onProgress: say })
  try {
    const bytes = await produce(kafka.brokers, { topic: TOPIC, partitions: PARTITIONS }, records)
    const run = runner(kafka.brokers, folder)
    const startUp = { floor: await run('floor', 0, {}), whole: await run('whole', 0, {}) }
    const variants = []
    for (const { name, program, topicConfig } of VARIANTS) {
      say(name)
      variants.push({ name, pairs: await measurePairs(run, program, { pairs, records, topicConfig }) })
    }
    const memory = []
    for (const flushBytes of FLUSH_BYTES) {
      const flush = { bytes: flushBytes, count: NEVER, ageMs: NEVER }
      const whole = await run('whole', records, { flush })
      say(`flush.bytes ${flushBytes / MIB} MiB: peak memory ${Math.round(whole.rssBytesMax / MIB)} MiB`)
      memory.push({ flushBytes, creditBytes: 2 * flushBytes, whole })
    }
    if (profile !== undefined) {
      const profiled = runner(kafka.brokers, folder, profile)
      await profiled('floor', records, {})
      await profiled('whole', records, {})
    }
    return { records, bytes, partitions: PARTITIONS, variants, memory, startUp, loadAverage }
  } finally {
    await kafka.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function runner(brokers: readonly string[], folder: string, profile?: string): Run {
  let runs = 0
  const { fetchBytesMax, fetchBytesPerPartitionMax } = loadConfig({}).kafka
  const fetch = { bytesMax: fetchBytesMax, bytesPerPartitionMax: fetchBytesPerPartitionMax }
  return async (program, records, topicConfig) => {
    const groupId = `bench-${program}-${profile === undefined ? '' : 'profile-'}${++runs}`
    const table = join(folder, groupId)
    const task: Task = {
      brokers,
      topic: TOPIC,
      groupId,
      records,
      fetch,
      topicConfig: { ...topicConfig, table: { ...topicConfig.table, uri: table } },
    }
    try {
      return await measure(program, task, profile)
    } finally {
      await rm(table, { recursive: true, force: true })
    }
  }
}

async function measurePairs(
  run: Run,
  program: Program,
  {
    pairs,
    records,
    topicConfig,
  }: { readonly pairs: number; readonly records: number; readonly topicConfig: Task['topicConfig'] },
): Promise<Pair[]> {
  const measured: Pair[] = []
  for (let number = 1; number <= pairs; number++) {
    const floor = await run('floor', records, topicConfig)
    const pair = { floor, other: await run(program, records, topicConfig) }
    measured.push(pair)
    const micros = `${microsOf(floor).toFixed(2)} µs, ${program} ${microsOf(pair.other).toFixed(2)} µs`
    const rate = formatCount(Math.round(records / pair.other.wallS))
    console.log(`  pair ${number}: floor ${micros}, ratio ${ratioOf(pair).toFixed(2)}, ${rate} records/s`)
  }
  return measured
}
