import type { Command } from 'commander'
import { CauseCounter } from '../../stored-letters/cause.ts'
import { selectDeadLetters, addDlqSubcommand, openDeadLetterSelection, type DlqFlags } from './command.ts'
import { formatCauses, formatIgnored, formatTime } from './text.ts'
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
      const causes = new CauseCounter()
      let count = 0
      for await (const { letter } of selectDeadLetters(letters, flags, { withContent: false })) {
        count++
        causes.add({ ...letter, partition: letter.position?.partition, offset: letter.position?.offset })
      }
      const top = causes.top()
      const foreign = letters.store.foreign()
      if (flags.json === true) {
        await printJson({
          from: letters.store.name,
          letters: count,
          foreign,
          lost: letters.store.lost(),
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
      if (count > 0) await print(`\n${formatCauses(top, causes.otherCount)}`)
    })
}
