// `npm run bench:threads` ingests topics without worker threads on one core, and with them on two, in pairs. It prints how much
// faster two cores are, and which share of the CPU stays on the main thread.
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { parseCount } from '../../src/cli/table/command.ts'
import { messageOf } from '../../src/core/errors.ts'
import { startKafka } from '../../src/local-servers/kafka.ts'
import type { Measured } from '../measured.ts'
import { median, microsOf } from '../programs.ts'
import { SHAPES, withShapeTopic } from '../shapes/shapes.ts'

interface Flags {
  readonly records: number
  readonly pairs: number
  readonly workers: number
  readonly shape: readonly string[]
}

const PARTITIONS = 4
const MIB = 2 ** 20
/** What two cores carry at least, compared with one. */
const RATIO_MIN = 1.7

process.exitCode = await main(process.argv)

async function main(argv: readonly string[]): Promise<number> {
  const flags = new Command('npm run bench:threads --')
    .option('--records <n>', 'number of records of each shape', parseCount, 2_000_000)
    .option('--pairs <n>', 'number of pairs of runs', parseCount, 3)
    .option('--workers <n>', 'number of worker threads on two cores', parseCount, 2)
    .option('--shape <name...>', 'shapes of the records', ['user-events', 'avro'])
    .parse(argv)
    .opts<Flags>()
  try {
    return (await measureAll(flags)) ? 0 : 1
  } catch (error) {
    console.error(messageOf(error))
    return 1
  }
}

/** Returns true when two cores carry enough of every shape. */
async function measureAll({ records, pairs, workers, shape }: Flags): Promise<boolean> {
  const loadAverage = loadavg()[0] ?? NaN
  const folder = await mkdtemp(join(tmpdir(), 'kafka-delta-bench-'))
  const kafka = await startKafka({ onProgress: (message) => console.log(message) })
  console.log(
    `${cpus().length} cores (${cpus()[0]?.model.trim() ?? ''}), also for the broker; load average ${loadAverage.toFixed(1)}`,
  )
  let isEnough = true
  try {
    for (const each of SHAPES.filter(({ name }) => shape.includes(name))) {
      console.log(`${each.name}: ${each.title}`)
      const run = { brokers: kafka.brokers, folder, partitions: PARTITIONS, records, pairs }
      const ratios = await withShapeTopic(each, run, async (measureOne) => {
        const found: number[] = []
        for (let pair = 1; pair <= pairs; pair++) {
          const one = await measureOne('whole', `one-${pair}`, { workers: 0, cores: '0' })
          console.log(lineOf('1 core, 0 workers', one))
          const two = await measureOne('whole', `two-${pair}`, { workers, cores: '0,1' })
          console.log(lineOf(`2 cores, ${workers} workers`, two))
          found.push(one.wallS / two.wallS)
        }
        return found
      })
      const ratio = median(ratios)
      isEnough &&= ratio >= RATIO_MIN
      const all = ratios.map((one) => one.toFixed(2)).join(', ')
      console.log(
        `  two cores carry ${ratio.toFixed(2)} × what one carries (${all}); at least ${RATIO_MIN} ×`,
      )
    }
  } finally {
    await kafka.stop()
    await rm(folder, { recursive: true, force: true })
  }
  return isEnough
}

function lineOf(name: string, measured: Measured): string {
  const { records, wallS, cpuS, mainCpuS, blockMsMax, rssBytesMax, slow = {} } = measured
  const share = mainCpuS === undefined ? '?' : `${((100 * mainCpuS) / cpuS).toFixed(0)}%`
  const slowRecords = Object.values(slow).reduce<number>((sum, count = 0) => sum + count, 0)
  return [
    `  ${name}: ${Math.round(records / wallS).toLocaleString('en')} records/s`,
    `${microsOf(measured).toFixed(2)} µs of CPU per record, ${share} of it on the main thread`,
    `longest block ${blockMsMax.toFixed(0)} ms`,
    `${Math.round(rssBytesMax / MIB)} MiB, ${slowRecords} slow`,
  ].join(', ')
}
