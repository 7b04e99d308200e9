import { once } from 'node:events'
import { messageOf, PipelineError } from '../core/errors.ts'

/** Writes to standard output and waits until the reader has caught up. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}

/** Writes a value as indented JSON to standard output; `bigint` as an exact number. */
export async function printJson(value: unknown): Promise<void> {
  await print(`${formatJson(value)}\n`)
}

/** Returns JSON text with `bigint` as an exact number, which `JSON.stringify` cannot write. */
export function formatJson(value: unknown, indent = 2): string {
  const mark = '\u0000bigint:'
  const text = JSON.stringify(
    value,
    (_, each: unknown) => (typeof each === 'bigint' ? `${mark}${each}` : each),
    indent,
  )
  return text.replace(/"\\u0000bigint:(-?\d+)"/g, '$1')
}

/** Formats rows under a heading as a text table; columns of numbers are right-aligned. */
export function formatTable(
  heading: readonly string[],
  rows: readonly (readonly (string | number | bigint)[])[],
): string {
  const cells = [heading, ...rows].map((row) => row.map(String))
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const numeric = heading.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] !== 'string'),
  )
  const lines = cells.map((row) =>
    row
      .map((cell, column) =>
        numeric[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

/** Returns text on a single line: control characters are escaped, so that no message can control the terminal. */
export function toOneLine(text: string, charsMax = 200): string {
  const shown = text.replace(/\p{Cc}/gu, (one) => JSON.stringify(one).slice(1, -1))
  return shown.length <= charsMax ? shown : `${shown.slice(0, charsMax)}…`
}

/** Formats an error as one block of lines: code, message and causes; with `debug` also its stack trace. */
export function formatError(thrown: unknown, debug: boolean): string {
  const code = thrown instanceof PipelineError ? `${thrown.code} ` : ''
  const lines = [`error: ${code}${messageOf(thrown)}`]
  let cause = thrown instanceof Error ? thrown.cause : undefined
  for (let depth = 0; cause !== undefined && depth < CAUSES_MAX; depth++) {
    const text = messageOf(cause)
    if (!lines.some((line) => line.includes(text))) lines.push(`  because: ${text}`)
    cause = cause instanceof Error ? cause.cause : undefined
  }
  if (debug && thrown instanceof Error && thrown.stack !== undefined) lines.push(thrown.stack)
  return `${lines.join('\n')}\n`
}

const CAUSES_MAX = 5

/** The commands that run the service, whose output is its log. */
const SERVICE_COMMANDS: readonly string[] = ['run', 'ingest']
/** Flags with which these commands print something for people and end. */
const PRINTING_FLAGS: readonly string[] = ['--help', '-h', '--version', '-V', '--print_config']

/**
 * Returns whether everything that the command line prints must be lines of JSON: it runs the service, and its log is not
 * read at a terminal.
 */
export function isOutputJson(argv: readonly string[], isTerminal: boolean): boolean {
  const words = argv.slice(2)
  const command = words.find((word) => !word.startsWith('-'))
  return (
    !isTerminal &&
    SERVICE_COMMANDS.includes(command ?? '') &&
    !words.some((word) => PRINTING_FLAGS.includes(word))
  )
}
