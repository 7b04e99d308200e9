import { InvalidArgumentError, type Command } from 'commander'
import { PipelineError } from '../../core/errors.ts'
import type { LetterState } from '../../dead-letters/marks.ts'
import type { StoredLetter } from '../../dead-letters/stored.ts'
import { chosenLetters, dlqCommand, openLetters, type DlqFlags } from './source.ts'
import { bytesText, letterJson, oneLine } from './text.ts'
import { print, printJson } from '../output.ts'

/** Letters of one offset that are shown, over all partitions. */
const SHOWN_MAX = 1_000

/** Adds `dlq show`: everything of the letters of one offset. */
export function addShowLetter(parent: Command): void {
  dlqCommand(parent, 'show', [
    'kafka-delta dlq show 4711 --config service.json',
    'kafka-delta dlq show 2/4711 --table ./lake/orders-dlq --json',
  ])
    .argument('<offset>', 'offset in the source topic, or partition/offset', placeOf)
    .description('a dead letter with its value, key and headers, whatever became of it')
    .option('--json', 'print a JSON array')
    .action(async ({ partition, offset }: Wanted, flags: DlqFlags) => {
      const letters = await openLetters(flags, false)
      const found: { letter: StoredLetter; state: LetterState }[] = []
      const more = { offset, ...(partition === undefined ? {} : { partition }) }
      for await (const one of chosenLetters(letters, { ...flags, all: true }, more)) {
        if (found.length < SHOWN_MAX) found.push(one)
      }
      if (found.length === 0) {
        const detail = `there is no such dead letter of offset ${offset} in ${letters.store.name}`
        throw new PipelineError('KD_COMMAND_INVALID', detail)
      }
      const shown = found.map(({ letter, state }) => ({ ...letterJson(letter, state), ...contentOf(letter) }))
      if (flags.json === true) await printJson(shown)
      else for (const one of shown) await print(`${textOf(one)}\n`)
    })
}

interface Wanted {
  readonly partition: number | undefined
  readonly offset: bigint
}

function placeOf(text: string): Wanted {
  const match = /^(?:(\d{1,9})\/)?(\d{1,19})$/.exec(text)
  if (match?.[2] === undefined) throw new InvalidArgumentError('It must be an offset or partition/offset.')
  return { partition: match[1] === undefined ? undefined : Number(match[1]), offset: BigInt(match[2]) }
}

function contentOf({ key, value, headers, traceId }: StoredLetter): Readonly<Record<string, unknown>> {
  const headerTexts = Object.entries(headers ?? {}).map(([name, one]) => [
    name,
    one instanceof Uint8Array ? bytesText(one) : one.map(bytesText),
  ])
  return {
    key: bytesText(key),
    headers: Object.fromEntries(headerTexts) as object,
    ...(traceId === undefined ? {} : { traceId }),
    value: jsonOr(bytesText(value)),
  }
}

/** JSON is shown as what it says. */
function jsonOr(text: string | null): unknown {
  if (text === null || !/^\s*[[{]/.test(text) || /\d{16}/.test(text)) return text
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

function textOf(shown: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(shown).filter(([name]) => name !== 'value')
  const width = Math.max(...entries.map(([name]) => name.length))
  const lines = entries.map(([name, value]) => {
    const text =
      typeof value === 'string' ? value : typeof value === 'bigint' ? String(value) : JSON.stringify(value)
    return `${name.padEnd(width)}  ${oneLine(text, 2_000)}`
  })
  const { value } = shown
  const body = typeof value === 'string' ? safe(value) : JSON.stringify(value, null, 2)
  return `${lines.join('\n')}\nvalue\n${body}\n`
}

/** Lines and tabs stay; other control characters become escapes. */
function safe(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (one) => JSON.stringify(one).slice(1, -1))
}
