// `npm run bench:partitions`: what a flush over many table partitions costs beside one over a single partition.
import { spawn } from 'node:child_process'
import { extname, join } from 'node:path'
import { Command } from 'commander'
import { countOf } from '../src/cli/table-source.ts'
import { messageOf } from '../src/core/errors.ts'
import type { PartitionsMeasured, PartitionsTask } from './partitions-measured.ts'

const PARTITIONS = [1, 1_000, 10_000]

/** Peak memory of the flush over most partitions beside that over one; more is a failure. */
const RATIO_MAX = 1.6
const RUN_MS_MAX = 15 * 60_000

process.exitCode = await main(process.argv)

async function main(argv: readonly string[]): Promise<number> {
  const { rows } = new Command('npm run bench:partitions --')
    .option('--rows <n>', 'how many rows each flush has', countOf, 100_000)
    .parse(argv)
    .opts<{ readonly rows: number }>()
  try {
    let one: PartitionsMeasured | undefined
    let worst = 1
    for (const partitions of PARTITIONS) {
      const measured = await measure({ rows, partitions })
      one ??= measured
      const ratio = measured.rssBytesMax / one.rssBytesMax
      worst = Math.max(worst, ratio)
      const mib = Math.round(measured.rssBytesMax / 2 ** 20)
      console.log(
        `${rows} rows in ${partitions} partitions: ${measured.files} files, ${measured.wallS.toFixed(1)} s, ` +
          `${mib} MiB at most, ${ratio.toFixed(2)} times that of one partition`,
      )
    }
    console.log(`At most ${worst.toFixed(2)} times the memory; at most ${RATIO_MAX} times is wanted`)
    return worst <= RATIO_MAX ? 0 : 1
  } catch (error) {
    console.error(messageOf(error))
    return 1
  }
}

async function measure(task: PartitionsTask): Promise<PartitionsMeasured> {
  const path = join(import.meta.dirname, `partitions-task${extname(import.meta.filename)}`)
  const child = spawn(process.execPath, [...process.execArgv, path, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: RUN_MS_MAX,
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`${task.partitions} partitions ended with ${String(code)}: ${output}`)
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as PartitionsMeasured
}
