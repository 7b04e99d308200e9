// `npm run bench` measures the CPU per record of topics of many shapes compared with a bare kafkajs consumer, and writes
// docs/benchmarks.md and docs/benchmarks.svg.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { format, resolveConfig } from 'prettier'
import { loadConfig } from '../config/load/load.ts'
import { findPackageFile } from '../src/cli/package-file.ts'
import { formatCount } from '../src/cli/progress.ts'
import { parseCount } from '../src/cli/table/command.ts'
import { messageOf } from '../src/core/errors.ts'
import { startKafka } from '../src/local-servers/kafka.ts'
import { logSectionOf, withLogSection } from './log/page.ts'
import type { Measured, Task } from './measured.ts'
import { benchmarksPage, medianRatio, RATIO_MAX, slowRowsOf, type Results } from './page.ts'
import { benchmarksPlot } from './plot.ts'
import { measure, median, microsOf, ratioOf, type Pair, type Program } from './programs.ts'
import { contractFile } from './shapes/shape.ts'
import { measureShape, SHAPES, type ShapeResult } from './shapes/shapes.ts'

interface Flags {
  readonly shape?: readonly string[]
  readonly records: number
  readonly pairs: number
  readonly profile?: string
}

/** The shape whose ratio is limited, and on whose topic reading alone, memory and start-up are measured. */
const MAIN_SHAPE = 'user-events'
const PARTITIONS = 4
/** Limit of the longest block of the event loop, in milliseconds: the median of all pairs. */
const BLOCK_MS_MAX = 100
const MIB = 2 ** 20
/** Limit that no run reaches. */
const NEVER = 1_000_000_000
const FLUSH_BYTES = [16 * MIB, 128 * MIB]

/** Runs a program on the topic of the main shape; the table of the run is deleted. */
type Run = (program: Program, records: number, topicConfig: Task['topicConfig']) => Promise<Measured>

process.exitCode = await main(process.argv)

async function main(argv: readonly string[]): Promise<number> {
  const flags = new Command('npm run bench --')
    .option(
      '--shape <name>',
      `measure only this shape, and write no page; may be repeated: ${SHAPES.map(({ name }) => name).join(', ')}`,
      (name: string, before: readonly string[] | undefined) => [...(before ?? []), parseShape(name)],
    )
    .option('--records <n>', 'number of records of each shape', parseCount, 1_000_000)
    .option('--pairs <n>', 'number of pairs of floor and pipeline', parseCount, 3)
    .option(
      '--profile <folder>',
      'also write CPU profiles of floor and pipeline to this folder, in a folder for each shape',
    )
    .parse(argv)
    .opts<Flags>()
  try {
    const results = await measureAll(flags)
    if (flags.shape === undefined) await writePage(results)
    return verdictOf(results.shapes)
  } catch (error) {
    console.error(messageOf(error))
    return 1
  }
}

function parseShape(name: string): string {
  if (SHAPES.some((shape) => shape.name === name)) return name
  throw new InvalidArgumentError(`It must be one of ${SHAPES.map((shape) => shape.name).join(', ')}.`)
}

async function writePage(results: Results): Promise<void> {
  const docs = join(dirname(findPackageFile('package.json')), 'docs')
  const path = join(docs, 'benchmarks.md')
  const logs = logSectionOf(await readFile(path, 'utf8'))
  const page = withLogSection(benchmarksPage(results), logs)
  await writeFile(path, await format(page, { ...(await resolveConfig(path)), parser: 'markdown' }))
  await writeFile(join(docs, 'benchmarks.svg'), benchmarksPlot(results.shapes))
  console.log('Written to docs/benchmarks.md and docs/benchmarks.svg')
}

/** Prints what is above its limit. Returns the exit code. */
function verdictOf(shapes: readonly ShapeResult[]): number {
  let code = 0
  for (const shape of shapes) {
    const slow = slowRowsOf(shape)
    if (slow === 0) continue
    code = 1
    const reasons = JSON.stringify(shape.pairs[0]?.other.slow)
    console.log(`${shape.name}: ${slow} records were decoded as objects instead of columns: ${reasons}`)
  }
  for (const { name, pairs } of shapes) {
    const blockMs = median(pairs.map(({ other }) => other.blockMsMax))
    if (blockMs <= BLOCK_MS_MAX) continue
    code = 1
    console.log(
      `${name}: the event loop was blocked for ${blockMs.toFixed(0)} ms; the limit is ${BLOCK_MS_MAX} ms`,
    )
  }
  const main = shapes.find(({ name }) => name === MAIN_SHAPE)
  if (main === undefined) return code
  const ratio = medianRatio(main)
  console.log(`${MAIN_SHAPE} takes ${ratio.toFixed(2)} × the CPU of the floor; the limit is ${RATIO_MAX} ×`)
  return ratio <= RATIO_MAX ? code : 1
}

async function measureAll({ shape, records, pairs, profile }: Flags): Promise<Results> {
  const say = (message: string): void => {
    console.log(message)
  }
  const loadAverage = loadavg()[0] ?? NaN
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-bench-'))
  const kafka = await startKafka({ onProgress: say })
  try {
    const shapes: ShapeResult[] = []
    for (const each of SHAPES) {
      if (shape !== undefined && !shape.includes(each.name)) continue
      say(`${each.name}: ${each.title}`)
      const run = {
        ...{ brokers: kafka.brokers, folder, partitions: PARTITIONS },
        ...{ records, pairs, profiles: profile },
      }
      shapes.push(await measureShape(each, run, sayPair))
    }
    const others =
      shape === undefined || shape.includes(MAIN_SHAPE)
        ? await measureOthers(kafka.brokers, folder, { records, pairs })
        : undefined
    return { records, partitions: PARTITIONS, shapes, loadAverage, ...others }
  } finally {
    await kafka.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Measures what does not depend on the shape, on the topic of the main one. */
async function measureOthers(
  brokers: readonly string[],
  folder: string,
  { records, pairs }: { records: number; pairs: number },
): Promise<Pick<Results, 'reading' | 'memory' | 'startUp'>> {
  const run = runner(brokers, folder)
  const startUp = { floor: await run('floor', 0, {}), whole: await run('whole', 0, {}) }
  const reading: Pair[] = []
  console.log('reading alone')
  for (let number = 1; number <= pairs; number++) {
    const pair = { floor: await run('floor', records, {}), other: await run('read', records, {}) }
    reading.push(pair)
    sayPair(pair, number)
  }
  const memory = []
  for (const flushBytes of FLUSH_BYTES) {
    const flush = { bytes: flushBytes, count: NEVER, ageMs: NEVER }
    const whole = await run('whole', records, { flush })
    console.log(`flush.bytes ${flushBytes / MIB} MiB: peak memory ${Math.round(whole.rssBytesMax / MIB)} MiB`)
    memory.push({ flushBytes, creditBytes: 2 * flushBytes, whole })
  }
  return { startUp, reading, memory }
}

function runner(brokers: readonly string[], folder: string): Run {
  let runs = 0
  const { fetchBytesMax, fetchBytesPerPartitionMax } = loadConfig({}).kafka
  const fetch = { bytesMax: fetchBytesMax, bytesPerPartitionMax: fetchBytesPerPartitionMax }
  return async (program, records, topicConfig) => {
    const groupId = `bench-${program}-${++runs}`
    const uri = join(folder, groupId)
    const options = { contract: contractFile('user-events'), ...topicConfig }
    const task: Task = {
      ...{ brokers, topic: `bench-${MAIN_SHAPE}`, groupId, records, fetch },
      topicConfig: { ...options, table: { ...topicConfig.table, uri } },
    }
    try {
      return await measure(program, task)
    } finally {
      await rm(uri, { recursive: true, force: true })
    }
  }
}

function sayPair(pair: Pair, number: number): void {
  const { floor, other } = pair
  const micros = `${microsOf(floor).toFixed(2)} µs, this ${microsOf(other).toFixed(2)} µs`
  const rate = formatCount(Math.round(other.records / other.wallS))
  const slow = Object.values(other.slow ?? {}).reduce<number>((sum, count = 0) => sum + count, 0)
  console.log(
    `  pair ${number}: floor ${micros}, ratio ${ratioOf(pair).toFixed(2)}, ${rate} records/s, ${Math.round(other.rssBytesMax / MIB)} MiB, ` +
      `longest block ${other.blockMsMax.toFixed(0)} ms, ${slow} slow`,
  )
}
