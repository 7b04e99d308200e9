import type { Command } from 'commander'
import { Causes } from '../../dead-letters/cause.ts'
import { chosenLetters, dlqCommand, openLetters, type DlqFlags } from './source.ts'
import { causesText, timeText } from './text.ts'
import { print, printJson } from '../output.ts'

/** Adds `dlq group`: what went wrong, how often, since when. */
export function addGroup(parent: Command): void {
  dlqCommand(parent, 'group', [
    'kafka-delta dlq group --config service.json',
    'kafka-delta dlq group --table s3://lake/orders-dlq --since 2026-01-31 --json',
  ])
    .description('open dead letters by their cause: how many, first and last, and one of them')
    .option('--all', 'those that were replayed or discarded too')
    .option('--json', 'print as JSON')
    .action(async (flags: DlqFlags) => {
      const letters = await openLetters(flags, false)
      const causes = new Causes()
      let count = 0
      for await (const { letter } of chosenLetters(letters, flags)) {
        count++
        causes.add({ ...letter, partition: letter.place?.partition, offset: letter.place?.offset })
      }
      const top = causes.top()
      const foreign = letters.store.foreign()
      if (flags.json === true) {
        await printJson({
          from: letters.store.name,
          letters: count,
          foreign,
          others: causes.others,
          groups: top.map(({ firstMs, lastMs, ...rest }) => ({
            ...rest,
            first: timeText(firstMs),
            last: timeText(lastMs),
          })),
        })
        return
      }
      await print(`${count} ${flags.all === true ? '' : 'open '}dead letters in ${letters.store.name}\n`)
      if (foreign > 0) await print(`${foreign} records there are no dead letters of this service\n`)
      if (count > 0) await print(`\n${causesText(top, causes.others)}`)
    })
}
