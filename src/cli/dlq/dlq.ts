import type { Command } from 'commander'
import { addDiscard } from './discard.ts'
import { addGroup } from './group.ts'
import { addList } from './list.ts'
import { addReplay } from './replay.ts'
import { addShowLetter } from './show.ts'
import { EXIT_HELP } from '../exit-codes.ts'

/** Adds `dlq` with its subcommands: looking into dead letters, and bringing them into the table once their cause is mended. */
export function addDlq(program: Command): void {
  const dlq = program
    .command('dlq')
    .description('look into dead letters, and play them again')
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
  addShowLetter(dlq)
  addReplay(dlq)
  addDiscard(dlq)
}
