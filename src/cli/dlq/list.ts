import { type Command, Option } from 'commander'
import { selectDeadLetters, addDlqSubcommand, openDeadLetterSelection, type DlqFlags } from './command.ts'
import { parseCount } from '../table/command.ts'
import { toDeadLetterJson, formatPosition, formatTime } from './text.ts'
import { print, printJson, formatTable, toOneLine } from '../output.ts'

interface ListFlags extends DlqFlags {
  readonly limit: number
}

const LIMIT = 100

/** Adds the command `dlq list`, which lists dead letters, one per line. */
export function addList(parent: Command): void {
  addDlqSubcommand(parent, 'list', [
    'kafka-delta dlq list --config service.json',
    'kafka-delta dlq list --table ./lake/orders-dlq --reason decode --since 2026-01-31T12:00:00Z',
    'kafka-delta dlq list --from-topic orders-dlq --json | jq .[].message',
  ])
    .description('list open dead letters, one per line')
    .addOption(
      new Option('-l, --limit <n>', 'maximum number of dead letters').default(LIMIT).argParser(parseCount),
    )
    .option('--all', 'include replayed and discarded dead letters')
    .option('--json', 'print a JSON array')
    .action(async (flags: ListFlags) => {
      const letters = await openDeadLetterSelection(flags, false)
      const chosen: Parameters<typeof toDeadLetterJson>[] = []
      let isCut = false
      for await (const { letter, state } of selectDeadLetters(letters, flags, { withContent: false })) {
        if (chosen.length >= flags.limit) {
          isCut = true
          break
        }
        chosen.push([letter, state])
      }
      if (flags.json === true) {
        await printJson(chosen.map((one) => toDeadLetterJson(...one)))
        return
      }
      await print(
        formatTable(
          ['record', 'written', 'state', 'stage', 'reason', 'message'],
          chosen.map(([letter, state]) => [
            formatPosition(letter),
            formatTime(letter.writtenMs),
            state,
            letter.stage,
            letter.reason,
            toOneLine(letter.message, 120),
          ]),
        ),
      )
      if (isCut)
        await print(
          `there are more: raise --limit (such as ${flags.limit * 10}), or count them with \`dlq group\`\n`,
        )
    })
}
