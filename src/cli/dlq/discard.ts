import type { Command } from 'commander'
import { replayLedgerUriOf } from '../../../config/dead-letters/sinks.ts'
import { CauseCounter } from '../../stored-letters/cause.ts'
import { LetterSet } from '../../stored-letters/ledger.ts'
import type { LetterPosition } from '../../stored-letters/stored.ts'
import type { ReplayLedgerTable } from '../../service/replay/replay-ledger.ts'
import { selectDeadLetters, addDlqSubcommand, openDeadLetterSelection, type DlqFlags } from './command.ts'
import { formatCauses } from './text.ts'
import { print, printJson } from '../output.ts'

interface DiscardFlags extends DlqFlags {
  readonly yes?: true
  readonly dryRun: boolean
}

/** Maximum number of dead letters recorded in one commit of the replay ledger. */
const LETTERS_MAX = 50_000

/** Adds the command `dlq discard`, which marks dead letters so that they are never replayed. */
export function addDiscard(parent: Command): void {
  addDlqSubcommand(parent, 'discard', [
    'kafka-delta dlq discard --config service.json --group 1a2b3c4d',
    'kafka-delta dlq discard --config service.json --reason tombstone --yes',
  ])
    .description(
      'discard open dead letters: they stay stored, but are no longer listed or replayed. Without --yes a dry run',
    )
    .option('--yes', 'discard them')
    .option('--no-dry-run', 'same as --yes')
    .option('--json', 'print as JSON')
    .action(async (flags: DiscardFlags) => {
      const letters = await openDeadLetterSelection(flags, true)
      const isDry = flags.yes !== true && flags.dryRun
      const { openReplayLedger } = await import('../../service/replay/replay-ledger.ts')
      const { entry, tables } = letters
      // `openDeadLetterSelection` requires an entry here.
      if (entry === undefined) throw new Error('Broken invariant: a discard has an entry')
      const causes = new CauseCounter()
      const seen = new LetterSet()
      let count = 0
      let nowhere = 0
      let chunk: LetterPosition[] = []
      let ledger: ReplayLedgerTable | undefined
      const writeChunk = async (): Promise<void> => {
        if (isDry || chunk.length === 0) return
        ledger ??= await openReplayLedger(tables, {
          uri: replayLedgerUriOf(entry.topic),
          appId: entry.topic.appId,
        })
        await ledger.append('discard', undefined, chunk)
        chunk = []
      }
      try {
        for await (const { letter } of selectDeadLetters(letters, flags, { withContent: false })) {
          const { position } = letter
          if (position === undefined) {
            nowhere++
            continue
          }
          if (!seen.add(position)) continue
          count++
          causes.add({ ...letter, partition: position.partition, offset: position.offset })
          if (!isDry) chunk.push(position)
          if (chunk.length >= LETTERS_MAX) await writeChunk()
        }
        await writeChunk()
      } finally {
        await ledger?.release()
      }
      if (flags.json === true) {
        await printJson({
          from: letters.store.name,
          dryRun: isDry,
          discarded: count,
          nowhere,
          groups: causes.top(),
        })
        return
      }
      await print(`${count} dead letters ${isDry ? 'would be' : 'were'} discarded\n`)
      if (count > 0) await print(`\n${formatCauses(causes.top(), causes.otherCount)}`)
      if (nowhere > 0)
        await print(`${nowhere} cannot be discarded: the table does not identify their Kafka records\n`)
      if (isDry && count > 0) await print('\nNothing was written. Run again with --yes to discard them.\n')
    })
}
