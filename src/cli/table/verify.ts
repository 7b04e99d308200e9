import type { Command } from 'commander'
import { EXIT } from '../../service/process/exit-codes.ts'
import { printNotice } from './notices.ts'
import { formatJson, print, formatTable } from '../output.ts'
import { formatCount } from '../progress.ts'
import { addTableSubcommand, withStore, type TableFlags } from './command.ts'

const PROGRESS_FILES = 1_000

/** Adds the command `table verify`, which reads every file of a table and reports what is wrong. */
export function addVerify(parent: Command, finish: (exitCode: number) => void): void {
  addTableSubcommand(parent, 'verify', [
    'kafka-delta table verify ./lake/user_events',
    "kafka-delta table verify s3://lake/events/user_events --json | jq 'select(.kind)'",
  ])
    .description(
      'read every file and report missing or damaged files and wrong statistics, and, if the table has the Kafka ' +
        'columns, duplicates and offsets beyond the txn. Exits with 1 if there is a problem; files that the table does ' +
        'not reference are only listed',
    )
    .option('--json', 'print one JSON object per finding, and one with the totals at the end')
    .action(async (uri: string, flags: TableFlags) => {
      const { verifyTable } = await import('../../delta/maintenance/verify.ts')
      await withStore(uri, flags, async (store) => {
        const line = (finding: object, text: string): Promise<void> =>
          print(flags.json === true ? `${formatJson(finding, 0)}\n` : text)
        const done = await verifyTable(store, {
          onProblem: (problem) => line(problem, `${problem.kind}: ${problem.path ?? ''} ${problem.detail}\n`),
          onOrphan: (path, bytes) =>
            line({ orphan: path, bytes }, `not referenced: ${path}, ${bytes} bytes\n`),
          onProgress: (files) => {
            if (files % PROGRESS_FILES === 0) printNotice(`${formatCount(files)} files read`)
          },
        })
        const { partitions, ...sums } = done
        if (partitions.length > 0 && flags.json !== true)
          await print(
            formatTable(
              ['topic', 'partition', 'rows', 'first', 'last', 'without a row', 'duplicates'],
              partitions.map((one) => [
                one.topic,
                one.partition,
                one.rows,
                one.first,
                one.last,
                one.missing,
                one.duplicates,
              ]),
            ),
          )
        await line(
          done,
          `version ${sums.version}: ${formatCount(sums.rows)} rows in ${formatCount(sums.files)} files of ${formatCount(sums.bytes)} bytes; ` +
            `${formatCount(sums.problems)} problems, ${formatCount(sums.orphans)} files that the table does not reference\n`,
        )
        finish(done.problems === 0 ? EXIT.ok : EXIT.failed)
      })
    })
}
