import type { Command } from 'commander'
import { EXIT } from '../exit-codes.ts'
import { tell } from './maintenance.ts'
import { jsonOf, print, tableOf } from '../output.ts'
import { count } from '../progress.ts'
import { tableCommand, withStore, type TableFlags } from './source.ts'

const PROGRESS_FILES = 1_000

/** Adds `table verify`: reads everything and says what is wrong. */
export function addVerify(parent: Command, finish: (exitCode: number) => void): void {
  tableCommand(parent, 'verify', [
    'kafka-delta table verify ./lake/user_events',
    "kafka-delta table verify s3://lake/events/user_events --json | jq 'select(.kind)'",
  ])
    .description(
      'read every file and report what is missing or damaged, statistics that lie, and, where the Kafka columns are ' +
        'there, duplicates and offsets beyond the txn. Exits with 1 when something is wrong; files that the table does ' +
        'not name are information',
    )
    .option('--json', 'print one JSON object for each finding, and one with the sums at the end')
    .action(async (uri: string, flags: TableFlags) => {
      const { verifyTable } = await import('../../delta/maintenance/verify.ts')
      await withStore(uri, flags, async (store) => {
        const line = (finding: object, text: string): Promise<void> =>
          print(flags.json === true ? `${jsonOf(finding, 0)}\n` : text)
        const done = await verifyTable(store, {
          onProblem: (problem) => line(problem, `${problem.kind}: ${problem.path ?? ''} ${problem.detail}\n`),
          onOrphan: (path, bytes) => line({ orphan: path, bytes }, `not named: ${path}, ${bytes} bytes\n`),
          onProgress: (files) => {
            if (files % PROGRESS_FILES === 0) tell(`${count(files)} files read`)
          },
        })
        const { partitions, ...sums } = done
        if (partitions.length > 0 && flags.json !== true)
          await print(
            tableOf(
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
          `version ${sums.version}: ${count(sums.rows)} rows in ${count(sums.files)} files of ${count(sums.bytes)} bytes; ` +
            `${count(sums.problems)} problems, ${count(sums.orphans)} files that the table does not name\n`,
        )
        finish(done.problems === 0 ? EXIT.ok : EXIT.failed)
      })
    })
}
