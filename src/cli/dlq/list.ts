import { type Command, Option } from 'commander'
import { chosenLetters, dlqCommand, openLetters, wholeOf, type DlqFlags } from './source.ts'
import { letterJson, oneLine, placeText, timeText } from './text.ts'
import { print, printJson, tableOf } from '../output.ts'

interface ListFlags extends DlqFlags {
  readonly limit: number
}

const LIMIT = 100

/** Adds `dlq list`. */
export function addList(parent: Command): void {
  dlqCommand(parent, 'list', [
    'kafka-delta dlq list --config service.json',
    'kafka-delta dlq list --table ./lake/orders-dlq --reason decode --since 2026-01-31T12:00:00Z',
    'kafka-delta dlq list --from-topic orders-dlq --json | jq .[].message',
  ])
    .description('dead letters that are open, one a line')
    .addOption(new Option('-l, --limit <n>', 'at most n letters').default(LIMIT).argParser(wholeOf))
    .option('--all', 'those that were replayed or discarded too')
    .option('--json', 'print a JSON array')
    .action(async (flags: ListFlags) => {
      const letters = await openLetters(flags, false)
      const chosen: Parameters<typeof letterJson>[] = []
      let isCut = false
      for await (const { letter, state } of chosenLetters(letters, flags)) {
        if (chosen.length >= flags.limit) {
          isCut = true
          break
        }
        chosen.push([letter, state])
      }
      if (flags.json === true) {
        await printJson(chosen.map((one) => letterJson(...one)))
        return
      }
      await print(
        tableOf(
          ['record', 'written', 'state', 'stage', 'reason', 'message'],
          chosen.map(([letter, state]) => [
            placeText(letter),
            timeText(letter.writtenMs),
            state,
            letter.stage,
            letter.reason,
            oneLine(letter.message, 120),
          ]),
        ),
      )
      if (isCut) await print(`and more: --limit ${flags.limit * 10} shows them, \`dlq group\` counts them\n`)
    })
}
