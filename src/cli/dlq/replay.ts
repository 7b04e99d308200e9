import type { Command } from 'commander'
import { Causes } from '../../dead-letters/cause.ts'
import type { StoredLetter } from '../../dead-letters/stored.ts'
import type { Replayed } from '../../service/replay/replay.ts'
import { chosenLetters, dlqCommand, openLetters, type DlqFlags, type Letters } from './source.ts'
import { causesText } from './text.ts'
import { print, printJson } from '../output.ts'

interface ReplayFlags extends DlqFlags {
  readonly yes?: true
  readonly dryRun: boolean
}

/** Adds `dlq replay`: dead letters through the topic's present rules into its table. */
export function addReplay(parent: Command): void {
  dlqCommand(parent, 'replay', [
    'kafka-delta dlq replay --config service.json',
    'kafka-delta dlq replay --config service.json --group 1a2b3c4d --yes',
  ])
    .description(
      "take open dead letters through the topic's present format, contract and rules into its table, each once; only tries unless told otherwise",
    )
    .option('--yes', 'land the rows')
    .option('--no-dry-run', 'the same')
    .option('--json', 'print as JSON')
    .action(async (flags: ReplayFlags) => {
      const letters = await openLetters(flags, true)
      const isDry = flags.yes !== true && flags.dryRun
      const { replay } = await import('../../service/replay/replay.ts')
      const causes = new Causes()
      const { config, entry, tables, log } = letters
      // `openLetters` was told to need one.
      if (entry === undefined) throw new Error('Broken invariant: a replay has an entry')
      const done = await replay({
        config,
        topic: entry.topic,
        tables,
        log,
        isDry,
        letters: openOnes(letters, flags),
        onFailure: ({ place, reason, message }) =>
          causes.add({ reason, message, partition: place.partition, offset: place.offset }),
      })
      await tell(done, causes, letters, { ...flags, isDry })
    })
}

async function* openOnes(letters: Letters, flags: DlqFlags): AsyncGenerator<StoredLetter> {
  for await (const { letter } of chosenLetters(letters, flags)) yield letter
}

async function tell(
  done: Replayed,
  causes: Causes,
  letters: Letters,
  { isDry, json }: { readonly isDry: boolean; readonly json?: true },
): Promise<void> {
  const { landed, rows, failed, settled, early, unplayable, versions } = done
  if (json === true) {
    await printJson({
      from: letters.store.name,
      table: letters.entry?.topic.table.uri,
      dryRun: isDry,
      landed,
      rows,
      failed,
      settled,
      early,
      unplayable: Object.fromEntries(unplayable),
      versions,
      failures: causes.top(),
    })
    return
  }
  const lines = [
    `${landed} letters ${isDry ? 'would land' : 'landed'} as ${rows} rows in ${letters.entry?.topic.table.uri ?? ''}`,
    ...(versions.length > 0 ? [`in version ${versions.map(String).join(', ')}`] : []),
    ...(failed > 0 ? [`${failed} ${isDry ? 'would fail' : 'failed'} again and stay open:`] : []),
  ]
  await print(`${lines.join('\n')}\n`)
  if (failed > 0) await print(`\n${causesText(causes.top(), causes.others)}\n`)
  if (settled > 0) await print(`${settled} were replayed or discarded before, or are there twice\n`)
  if (early > 0)
    await print(`${early} belong to offsets that the service has not committed yet; try again later\n`)
  for (const [reason, count] of unplayable) await print(`${count} cannot be replayed: ${reason}\n`)
  if (isDry && landed > 0) await print('Nothing was written; --yes lands them.\n')
}
