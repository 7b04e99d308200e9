import type { Command } from 'commander'
import { CauseCounter } from '../../stored-letters/cause.ts'
import type { StoredLetter } from '../../stored-letters/stored.ts'
import { selectDeadLetters, addDlqSubcommand, openDeadLetterSelection, type DlqFlags } from './command.ts'
import { formatCauses, formatIgnored, formatIncomplete, formatTime } from './text.ts'
import { print, printJson } from '../output.ts'

/** Adds the command `dlq group`, which counts dead letters by cause. */
export function addGroup(parent: Command): void {
  addDlqSubcommand(parent, 'group', [
    'kafka-delta dlq group --config service.json',
    'kafka-delta dlq group --table s3://lake/orders-dlq --since 2026-01-31 --json',
  ])
    .description('count open dead letters by cause, with the first, the last and a sample')
    .option('--all', 'include replayed and discarded dead letters')
    .option('--json', 'print as JSON')
    .action(async (flags: DlqFlags) => {
      const letters = await openDeadLetterSelection(flags, false)
      const selected = selectDeadLetters(letters, flags, { withContent: false })
      const { count, causes, incomplete } = await countLetters(selected)
      const top = causes.top()
      const foreign = letters.store.foreign()
      if (flags.json === true) {
        await printJson({
          from: letters.store.name,
          letters: count,
          foreign,
          lost: letters.store.lost(),
          unplayable: incomplete
            .top()
            .map(({ cause, count: letters, sample }) => ({ cause, letters, sample })),
          others: causes.otherCount,
          groups: top.map(({ firstMs, lastMs, ...rest }) => ({
            ...rest,
            first: formatTime(firstMs),
            last: formatTime(lastMs),
          })),
        })
        return
      }
      await print(`${count} ${flags.all === true ? '' : 'open '}dead letters in ${letters.store.name}\n`)
      await print(formatIgnored(letters.store))
      await print(formatIncomplete(incomplete.top()))
      if (count > 0) await print(`\n${formatCauses(top, causes.otherCount)}`)
    })
}

/**
 * Counts dead letters by cause, and those that were cut or are incomplete, and so cannot be replayed, by the reason for
 * that.
 */
export async function countLetters(
  selected: AsyncIterable<{ readonly letter: StoredLetter }>,
): Promise<{ readonly count: number; readonly causes: CauseCounter; readonly incomplete: CauseCounter }> {
  const [causes, incomplete] = [new CauseCounter(), new CauseCounter()]
  let count = 0
  for await (const { letter } of selected) {
    count++
    const place = { partition: letter.position?.partition, offset: letter.position?.offset }
    causes.add({ ...letter, ...place })
    if (letter.unplayable !== undefined)
      incomplete.add({ reason: 'incomplete', message: letter.unplayable, ...place })
  }
  return { count, causes, incomplete }
}
