import type { Command } from 'commander'
import { EXIT_HELP } from '../../service/process/exit-codes.ts'
import { addCat } from './cat.ts'
import { addCheckpoint } from './checkpoint.ts'
import { addCreate } from './create.ts'
import { addFiles } from './files.ts'
import { addHistory } from './history.ts'
import { addOptimize } from './optimize.ts'
import { addProperties } from './properties.ts'
import { addRestore } from './restore.ts'
import { addShow } from './show.ts'
import { addVacuum } from './vacuum.ts'
import { addVerify } from './verify.ts'

/**
 * Adds the command `table` with its subcommands, which inspect and maintain any Delta table, also tables of
 * other writers.
 */
export function addTable(program: Command, finish: (exitCode: number) => void): void {
  const table = program
    .command('table')
    .description('inspect and maintain a Delta table')
    .addHelpText(
      'after',
      `
Examples:
  kafka-delta table show ./lake/user_events
  kafka-delta table history s3://lake/events/user_events --config service.json
  kafka-delta table cat ./lake/user_events --limit 10 --columns event_id,timestamp
${EXIT_HELP}`,
    )
  addShow(table)
  addHistory(table)
  addFiles(table)
  addCat(table)
  addCheckpoint(table)
  addOptimize(table, finish)
  addVacuum(table)
  addRestore(table)
  addCreate(table)
  addProperties(table)
  addVerify(table, finish)
}
