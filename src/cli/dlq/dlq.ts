import type { Command } from 'commander'
import { addDiscard } from './discard.ts'
import { addGroup } from './group.ts'
import { addList } from './list.ts'
import { addReplay } from './replay.ts'
import { addShowDeadLetter } from './show.ts'
import { EXIT_HELP } from '../../service/process/exit-codes.ts'

/** Adds the command `dlq` with its subcommands, which inspect dead letters and replay them into the table. */
export function addDlq(program: Command): void {
  const dlq = program
    .command('dlq')
    .description('inspect, replay and discard dead letters')
    .addHelpText(
      'after',
      `
Examples:
  kafka-delta dlq group --config service.json
  kafka-delta dlq show 4711 --config service.json
  kafka-delta dlq replay --config service.json --yes
${EXIT_HELP}`,
    )
  addList(dlq)
  addGroup(dlq)
  addShowDeadLetter(dlq)
  addReplay(dlq)
  addDiscard(dlq)
}
