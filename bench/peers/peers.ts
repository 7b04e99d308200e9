// `npm run bench:peers` reads one topic of web requests into Delta tables, with this project and with Spark Structured
// Streaming, one after the other, and prints what a record costs each of them. See README.md beside this file.
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { parseCount } from '../../src/cli/table/command.ts'
import { messageOf } from '../../src/core/errors.ts'
import { serverFilePath } from '../../src/local-servers/cache.ts'
import { startKafka } from '../../src/local-servers/kafka.ts'
import { fetchJars, javaCommand } from '../../src/local-servers/maven.ts'
import { median, microsOf } from '../programs.ts'
import { measureShape, SHAPES } from '../shapes/shapes.ts'

interface Flags {
  readonly records: number
  readonly pairs: number
}

/** What Spark prints in its last line. */
interface SparkMeasured {
  readonly records: number
  readonly wallS: number
  readonly cpuS: number
  readonly startCpuS: number
  readonly rssBytesMax: number
}

const SHAPE = 'web-requests'
const PARTITIONS = 4
const MIB = 2 ** 20
const RUN_MS_MAX = 15 * 60_000
/** Packages of Java that Spark looks into; its own launcher opens the same. */
const OPENED =
  'java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar'.split(
    ' ',
  )

process.exitCode = await main(process.argv)

async function main(argv: readonly string[]): Promise<number> {
  const flags = new Command('npm run bench:peers --')
    .option('--records <n>', 'number of web requests', parseCount, 2_000_000)
    .option('--pairs <n>', 'number of runs of each', parseCount, 1)
    .parse(argv)
    .opts<Flags>()
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-peers-'))
  try {
    await compare(flags, folder)
    return 0
  } catch (error) {
    console.error(messageOf(error))
    return 1
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function compare({ records, pairs }: Flags, folder: string): Promise<void> {
  const say = (message: string): void => {
    console.log(message)
  }
  const jars = await fetchJars('spark-stream', say)
  const shape = SHAPES.find(({ name }) => name === SHAPE)
  if (shape === undefined) throw new Error(`Broken invariant: no shape ${SHAPE}`)
  say(`load average at the start: ${(loadavg()[0] ?? NaN).toFixed(1)}; node ${process.version}`)
  const kafka = await startKafka({ onProgress: say })
  try {
    const { brokers } = kafka
    const run = { brokers, folder, partitions: PARTITIONS, records, pairs }
    const ours = (await measureShape(shape, run)).pairs.map(({ other }) => other)
    const theirs: SparkMeasured[] = []
    for (let number = 1; number <= pairs; number++)
      theirs.push(await runSpark(jars, brokers, join(folder, `spark-${number}`)))
    const oursMicros = ours.map(microsOf)
    const theirMicros = theirs.map(({ cpuS, records: read }) => (cpuS * 1e6) / read)
    say(`this project: ${shown(oursMicros)} µs of CPU a record, its start included; peak ${peaks(ours)} MiB`)
    say(`Spark: ${shown(theirMicros)} µs of CPU a record, without its start; peak ${peaks(theirs)} MiB`)
    say(`Spark takes ${(median(theirMicros) / median(oursMicros)).toFixed(1)} × the CPU of this project`)
  } finally {
    await kafka.stop()
  }
}

function shown(micros: readonly number[]): string {
  return micros.map((each) => each.toFixed(2)).join(', ')
}

function peaks(runs: readonly { readonly rssBytesMax: number }[]): string {
  return runs.map(({ rssBytesMax }) => Math.round(rssBytesMax / MIB)).join(', ')
}

async function runSpark(jars: string, brokers: readonly string[], folder: string): Promise<SparkMeasured> {
  await mkdir(join(folder, 'work', 'local'), { recursive: true })
  const args = [
    '-Xmx3g',
    ...OPENED.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
    `-Dlog4j2.configurationFile=${serverFilePath('spark', 'log4j2.properties')}`,
    `-Dderby.system.home=${folder}`,
    '-Duser.timezone=UTC',
    '-cp',
    join(jars, '*'),
    serverFilePath('spark-stream', 'SparkStream.java'),
    brokers.join(','),
    `bench-${SHAPE}`,
    join(folder, 'table'),
    join(folder, 'work'),
  ]
  const child = spawn(javaCommand(), args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: RUN_MS_MAX })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`Spark ended with ${String(code)}: ${output}`)
  const line = output.split('\n').findLast((each) => each.startsWith('{"records"'))
  if (line === undefined) throw new Error(`Spark printed no result: ${output}`)
  return JSON.parse(line) as SparkMeasured
}
