import { InvalidArgumentError, type Command } from 'commander'
import { PipelineError } from '../../core/errors.ts'
import type { StoredLetter } from '../../stored-letters/stored.ts'
import { selectDeadLetters, addDlqSubcommand, openDeadLetterSelection, type DlqFlags } from './command.ts'
import { bytesToText, toDeadLetterJson } from './text.ts'
import { print, printJson, toOneLine } from '../output.ts'

/** Maximum number of dead letters shown for one offset, over all partitions. */
const SHOWN_MAX = 1_000

/** Maximum nested levels of a value that is shown indented: the indentation grows with each. */
const LEVELS_MAX = 100

/** Adds the command `dlq show`, which prints the dead letters of one offset in full. */
export function addShowDeadLetter(parent: Command): void {
  addDlqSubcommand(parent, 'show', [
    'kafka-delta dlq show 4711 --config service.json',
    'kafka-delta dlq show 2/4711 --table ./lake/orders-dlq --json',
  ])
    .argument('<offset>', 'offset in the source topic, or partition/offset', parseOffset)
    .description(
      'show dead letters of one offset with value, key and headers, also replayed and discarded ones',
    )
    .option('--json', 'print a JSON array')
    .action(async ({ partition, offset }: OffsetArgument, flags: DlqFlags) => {
      const letters = await openDeadLetterSelection(flags, false)
      const shown: Readonly<Record<string, unknown>>[] = []
      const more = { offset, ...(partition === undefined ? {} : { partition }) }
      for await (const { letter, state } of selectDeadLetters(letters, { ...flags, all: true }, more)) {
        if (shown.length < SHOWN_MAX) shown.push({ ...toDeadLetterJson(letter, state), ...contentOf(letter) })
      }
      if (shown.length === 0) {
        const detail = `no dead letter with offset ${offset} matches in ${letters.store.name}`
        throw new PipelineError('KD_COMMAND_INVALID', detail)
      }
      if (flags.json === true) await printJson(shown)
      else for (const one of shown) await print(`${textOf(one)}\n`)
    })
}

interface OffsetArgument {
  readonly partition: number | undefined
  readonly offset: bigint
}

function parseOffset(text: string): OffsetArgument {
  const match = /^(?:(\d{1,9})\/)?(\d{1,19})$/.exec(text)
  if (match?.[2] === undefined) throw new InvalidArgumentError('It must be an offset or partition/offset.')
  return { partition: match[1] === undefined ? undefined : Number(match[1]), offset: BigInt(match[2]) }
}

function contentOf({ key, value, headers, traceId }: StoredLetter): Readonly<Record<string, unknown>> {
  const headerTexts = Object.entries(headers ?? {}).map(([name, one]) => [
    name,
    one === null || one instanceof Uint8Array ? bytesToText(one) : one.map(bytesToText),
  ])
  return {
    key: bytesToText(key),
    headers: Object.fromEntries(headerTexts) as object,
    ...(traceId === undefined ? {} : { traceId }),
    value: parseJsonText(bytesToText(value)),
  }
}

/**
 * Parses JSON objects and arrays, so that they are shown indented; other text, and text with numbers too long
 * for a double or too many nested levels, stays text.
 */
function parseJsonText(text: string | null): unknown {
  if (text === null || !/^\s*[[{]/.test(text) || /\d{16}/.test(text)) return text
  try {
    const value: unknown = JSON.parse(text)
    return isDeeperThan(value, LEVELS_MAX) ? text : value
  } catch {
    return text
  }
}

/** Returns true when arrays and objects are nested in more than `levels` levels. */
function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((one) => isDeeperThan(one, levels - 1))
}

function textOf(shown: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(shown).filter(([name]) => name !== 'value')
  const width = Math.max(...entries.map(([name]) => name.length))
  const lines = entries.map(([name, value]) => {
    const text =
      typeof value === 'string' ? value : typeof value === 'bigint' ? String(value) : JSON.stringify(value)
    return `${name.padEnd(width)}  ${toOneLine(text, 2_000)}`
  })
  const { value } = shown
  const body = typeof value === 'string' ? escapeControlCharacters(value) : JSON.stringify(value, null, 2)
  return `${lines.join('\n')}\nvalue\n${body}\n`
}

/** Escapes control characters other than line breaks and tabs. */
function escapeControlCharacters(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (one) => JSON.stringify(one).slice(1, -1))
}
