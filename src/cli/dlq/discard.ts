import type { Command } from 'commander'
import { marksOf } from '../../../config/dead-letters/sinks.ts'
import { Causes } from '../../dead-letters/cause.ts'
import { Places } from '../../dead-letters/marks.ts'
import type { Place } from '../../dead-letters/stored.ts'
import type { MarksTable } from '../../service/replay/replay-ledger.ts'
import { chosenLetters, dlqCommand, openLetters, type DlqFlags } from './source.ts'
import { causesText } from './text.ts'
import { print, printJson } from '../output.ts'

interface DiscardFlags extends DlqFlags {
  readonly yes?: true
  readonly dryRun: boolean
}

/** Of one commit. */
const LETTERS_MAX = 50_000

/** Adds `dlq discard`: letters that nobody will play again. */
export function addDiscard(parent: Command): void {
  dlqCommand(parent, 'discard', [
    'kafka-delta dlq discard --config service.json --group 1a2b3c4d',
    'kafka-delta dlq discard --config service.json --reason tombstone --yes',
  ])
    .description(
      'mark open dead letters as not wanted: they stay where they are, and are shown and replayed no more',
    )
    .option('--yes', 'mark them')
    .option('--no-dry-run', 'the same')
    .option('--json', 'print as JSON')
    .action(async (flags: DiscardFlags) => {
      const letters = await openLetters(flags, true)
      const isDry = flags.yes !== true && flags.dryRun
      const { openMarks } = await import('../../service/replay/replay-ledger.ts')
      const { entry, tables } = letters
      // `openLetters` was told to need one.
      if (entry === undefined) throw new Error('Broken invariant: a discard has an entry')
      const causes = new Causes()
      const seen = new Places()
      let count = 0
      let nowhere = 0
      let chunk: Place[] = []
      let marks: MarksTable | undefined
      const note = async (): Promise<void> => {
        if (isDry || chunk.length === 0) return
        marks ??= await openMarks(tables, { uri: marksOf(entry.topic), appId: entry.topic.appId })
        await marks.note('discard', undefined, chunk)
        chunk = []
      }
      try {
        for await (const { letter } of chosenLetters(letters, flags)) {
          const { place } = letter
          if (place === undefined) {
            nowhere++
            continue
          }
          if (!seen.add(place)) continue
          count++
          causes.add({ ...letter, partition: place.partition, offset: place.offset })
          if (!isDry) chunk.push(place)
          if (chunk.length >= LETTERS_MAX) await note()
        }
        await note()
      } finally {
        await marks?.release()
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
      await print(`${count} dead letters ${isDry ? 'would be' : 'are'} discarded\n`)
      if (count > 0) await print(`\n${causesText(causes.top(), causes.others)}`)
      if (nowhere > 0) await print(`${nowhere} cannot be: the table does not say which records they were\n`)
      if (isDry && count > 0) await print('\nNothing was written; --yes discards them.\n')
    })
}
