import type { Command } from 'commander'
import { CauseCounter } from '../../stored-letters/cause.ts'
import type { StoredLetter } from '../../stored-letters/stored.ts'
import type { TopicExtensions } from '../../service/operators/extensions.ts'
import type { ReplayResult } from '../../service/replay/replay.ts'
import {
  selectDeadLetters,
  addDlqSubcommand,
  openDeadLetterSelection,
  type DlqFlags,
  type DeadLetterSelection,
} from './command.ts'
import { formatCauses, formatIgnored } from './text.ts'
import { print, printJson } from '../output.ts'
import { withTopicCode } from '../topic-code.ts'

interface ReplayFlags extends DlqFlags {
  readonly yes?: true
  readonly dryRun: boolean
}

/** Adds the command `dlq replay`, which runs dead letters through the topic's current configuration into its table. */
export function addReplay(parent: Command): void {
  addDlqSubcommand(parent, 'replay', [
    'kafka-delta dlq replay --config service.json',
    'kafka-delta dlq replay --config service.json --group 1a2b3c4d --yes',
  ])
    .description(
      "replay open dead letters with the topic's current format, contract, rules and operators into its table, each exactly once. Without --yes a dry run",
    )
    .option('--yes', 'write the rows')
    .option('--no-dry-run', 'same as --yes')
    .option('--json', 'print as JSON')
    .action(async (flags: ReplayFlags) => {
      const letters = await openDeadLetterSelection(flags, true)
      const isDry = flags.yes !== true && flags.dryRun
      const { replayDeadLetters } = await import('../../service/replay/replay.ts')
      const causes = new CauseCounter()
      const { config, entry, tables, log } = letters
      // `openDeadLetterSelection` requires an entry here.
      if (entry === undefined) throw new Error('Broken invariant: a replay has an entry')
      const { name, topic } = entry
      const replay = (extensions: TopicExtensions): Promise<ReplayResult> =>
        replayDeadLetters({
          config,
          topic,
          extensions,
          tables,
          log,
          isDry,
          letters: selectedLetters(letters, flags),
          onFailure: ({ position, reason, message }) =>
            causes.add({ reason, message, partition: position.partition, offset: position.offset }),
        })
      const done = await withTopicCode(name, topic, replay, log)
      await printOutcome(done, causes, letters, { ...flags, isDry })
    })
}

async function* selectedLetters(letters: DeadLetterSelection, flags: DlqFlags): AsyncGenerator<StoredLetter> {
  for await (const { letter } of selectDeadLetters(letters, flags)) yield letter
}

async function printOutcome(
  done: ReplayResult,
  causes: CauseCounter,
  letters: DeadLetterSelection,
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
      lost: letters.store.lost(),
      versions,
      failures: causes.top(),
    })
    return
  }
  const lines = [
    `${landed} dead letters ${isDry ? 'would become' : 'became'} ${rows} rows in ${letters.entry?.topic.table.uri ?? ''}`,
    ...(versions.length > 0 ? [`in version ${versions.map(String).join(', ')}`] : []),
    ...(failed > 0 ? [`${failed} ${isDry ? 'would fail' : 'failed'} again and stay open:`] : []),
  ]
  await print(`${lines.join('\n')}\n`)
  if (failed > 0) await print(`\n${formatCauses(causes.top(), causes.otherCount)}\n`)
  if (settled > 0) await print(`${settled} were replayed or discarded before, or are stored twice\n`)
  if (early > 0)
    await print(
      `${early} are at offsets that the service has not committed yet; run the command again later\n`,
    )
  await print(formatIgnored(letters.store))
  for (const [reason, count] of unplayable) await print(`${count} cannot be replayed: ${reason}\n`)
  if (isDry && landed > 0) await print('Nothing was written. Run again with --yes to write the rows.\n')
}
