// `npm run bench:partitions` compares a flush over many table partitions with one over a single partition.
import { Command } from 'commander'
import { parseCount } from '../../src/cli/table/command.ts'
import { messageOf } from '../../src/core/errors.ts'
import type { PartitionsMeasured, PartitionsTask } from './measured.ts'
import { runProgram } from '../run-program.ts'

const PARTITIONS = [1, 1_000, 10_000]

/** Maximum ratio of the peak memory of a flush to that over one partition; more is a failure. */
const RATIO_MAX = 1.6

process.exitCode = await main(process.argv)

async function main(argv: readonly string[]): Promise<number> {
  const { rows } = new Command('npm run bench:partitions --')
    .option('--rows <n>', 'number of rows of each flush', parseCount, 100_000)
    .parse(argv)
    .opts<{ readonly rows: number }>()
  try {
    let one: PartitionsMeasured | undefined
    let worst = 1
    for (const partitions of PARTITIONS) {
      const task: PartitionsTask = { rows, partitions }
      const measured = await runProgram<PartitionsMeasured>('partitions/task', task)
      one ??= measured
      const ratio = measured.rssBytesMax / one.rssBytesMax
      worst = Math.max(worst, ratio)
      const mib = Math.round(measured.rssBytesMax / 2 ** 20)
      console.log(
        `${rows} rows in ${partitions} partitions: ${measured.files} files, ${measured.wallS.toFixed(1)} s, ` +
          `${mib} MiB at most, ${ratio.toFixed(2)} times that of one partition`,
      )
    }
    console.log(`At most ${worst.toFixed(2)} times the memory; the limit is ${RATIO_MAX} times`)
    return worst <= RATIO_MAX ? 0 : 1
  } catch (error) {
    console.error(messageOf(error))
    return 1
  }
}
